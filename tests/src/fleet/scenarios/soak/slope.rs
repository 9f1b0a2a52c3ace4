//! How fast something grows: the median of the slopes between all pairs of points of one life (Theil and Sen).
//!
//! A jump or a peak moves a median hardly, where least squares would follow it. Points of different lives are never paired: a process
//! that was killed begins anew. What comes before `warm` of a life is left out, since every process grows while it learns.

/// When, in hours since the life began, and how much.
pub(super) type Point = (f64, f64);

/// Per hour, over all lives together; none where no life has two points.
pub(super) fn per_hour<'p>(lives: impl Iterator<Item = &'p [Point]>, warm: f64) -> Option<f64> {
    let mut slopes = Vec::new();
    for life in lives {
        let points: Vec<&Point> = life.iter().filter(|(at, _)| *at >= warm).collect();
        for (nth, (from, before)) in points.iter().enumerate() {
            let later = points[nth + 1..].iter().filter(|(to, _)| to > from);
            slopes.extend(later.map(|(to, after)| (after - before) / (to - from)));
        }
    }
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_seen_through_peaks_and_lives_and_a_start_is_none() {
        let leak = |at: u32| (f64::from(at) / 60.0, 1000.0 + f64::from(at) / 2.0);
        let mut first: Vec<Point> = (0..120).map(leak).collect();
        first[50].1 += 5000.0;
        // The second one begins far below, and grows at first.
        let second: Vec<Point> =
            (0..60).map(|at| if at < 10 { (f64::from(at) / 60.0, 10.0) } else { leak(at) }).collect();
        let both = [first.as_slice(), second.as_slice()];
        let slope = per_hour(both.into_iter(), 1.0 / 6.0).expect("there are pairs");
        assert!((slope - 30.0).abs() < 0.01, "{slope}");
        assert_eq!(per_hour(both.into_iter(), 3.0), None);
        let flat: Vec<Point> = (0..30).map(|at| (f64::from(at), 5.0)).collect();
        assert_eq!(per_hour([flat.as_slice()].into_iter(), 0.0), Some(0.0));
    }
}
