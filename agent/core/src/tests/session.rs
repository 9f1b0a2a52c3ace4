//! The link: what is said in which order, what is said again, and the farewell.
