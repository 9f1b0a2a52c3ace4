//! Stable codes: every event kind, change, rule, reason and refusal has one, and `picket explain CODE` tells what it
//! means and what to do, offline. A released code keeps its meaning for ever; a code that is no longer made stays
//! in the table. The table is the only list; it decides nothing.

use crate::event::{
    BlindSource, Breaker, Ended, Fact, Intent, OrderSaid, Outcome, Refusal, ShadowStep, Verdict,
};

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code: lower case, words joined by `-`.
    pub code: &'static str,
    /// What happened, in one sentence.
    pub meaning: &'static str,
    /// What to do about it.
    pub next: &'static str,
}

/// Looks a code up.
pub fn find(code: &str) -> Option<&'static Code> {
    ALL.iter().find(|known| known.code == code)
}

/// The code of an event.
pub const fn of(fact: &Fact) -> &'static str {
    match fact {
        Fact::Began(_) => "agent-began",
        Fact::Gap(_) => "gap",
        Fact::Verdict(change) => of_verdict(change.to),
        Fact::Started(started) => {
            if started.adopted {
                "service-adopted"
            } else {
                "service-started"
            }
        }
        Fact::Exited(exited) => {
            if exited.asked {
                "service-stopped"
            } else {
                "service-died"
            }
        }
        Fact::Remedy(_) => "remedy-begun",
        Fact::Outcome(ended) => match ended.outcome {
            Outcome::Held { .. } => "remedy-held",
            Outcome::Died(_) | Outcome::StillFailing { .. } | Outcome::NotDone { .. } => "remedy-not-held",
            Outcome::Worse { .. } => "remedy-worse",
        },
        Fact::Breaker(moved) => of_breaker(&moved.to),
        Fact::Evidence(_) => "evidence",
        Fact::Intent(change) => of_intent(change.to),
        Fact::Blind(blind) => match blind.source {
            BlindSource::Systemd => "blind-systemd",
        },
        Fact::Hold(hold) => match hold.lasts {
            Some(_) => "hold-begun",
            None => "hold-lifted",
        },
        Fact::Vanished(_) => "vanished",
        Fact::Returned(returned) => match returned.ended {
            Ended::Back => "returned",
            Ended::Accepted => "baseline-accepted",
        },
        Fact::Shadow(shadow) => of_shadow(&shadow.step),
        Fact::Ordered(ordered) => match &ordered.said {
            OrderSaid::Part { .. } => "evidence-part",
            OrderSaid::Refused(why) => of_refusal(why),
        },
    }
}

const fn of_verdict(to: Verdict) -> &'static str {
    match to {
        Verdict::Unknown => "check-unknown",
        Verdict::Up => "check-up",
        Verdict::Degraded => "check-degraded",
        Verdict::Flapping => "check-flapping",
        Verdict::Down => "check-down",
    }
}

const fn of_shadow(step: &ShadowStep) -> &'static str {
    match step {
        ShadowStep::Would { .. } => "shadow-remedy",
        ShadowStep::WouldRest { .. } => "shadow-rest",
        ShadowStep::Rests { .. } => "remedy-rests",
        ShadowStep::Back { .. } => "shadow-back",
    }
}

/// The code of why a host does not do what was ordered.
pub const fn of_refusal(why: &Refusal) -> &'static str {
    match why {
        Refusal::Forbidden => "order-forbidden",
        Refusal::Stranger => "order-stranger",
        Refusal::Busy => "order-busy",
        Refusal::Budget { .. } => "order-budget",
        Refusal::OverCap => "order-over-cap",
        Refusal::Unreadable => "order-unreadable",
    }
}

const fn of_breaker(to: &Breaker) -> &'static str {
    match to {
        Breaker::Open { .. } => "breaker-open",
        Breaker::HalfOpen => "breaker-half-open",
        Breaker::Waits { .. } => "service-waits",
        Breaker::Starved { .. } => "host-starved",
        Breaker::Closed => "breaker-closed",
    }
}

const fn of_intent(intent: Intent) -> &'static str {
    match intent {
        Intent::Run => "service-wanted",
        Intent::Stopped => "service-left-stopped",
        Intent::Masked => "service-masked",
        Intent::Unknown => "service-found-stopped",
    }
}

macro_rules! codes {
    ($($code:literal: $meaning:literal, $next:literal;)*) => {
        /// Every code, by group.
        pub const ALL: &[Code] = &[$(Code { code: $code, meaning: $meaning, next: $next }),*];
    };
}

codes! {
    // Events.
    "agent-began": "An agent started a new run.", "Nothing, unless nobody restarted it: then see why the run before ended.";
    "gap": "Frames with these numbers were lost and will never come; the reason is named.", "Read the reason: a full spool wants more room or a shorter outage; a conflict wants a look for a cloned machine.";
    "check-unknown": "A check can't be looked at: its probe can't run, or can't tell.", "Read the cause: it says what the probe lacks; `picket-agent check NAME` on the host tries it now.";
    "check-up": "A check passes again.", "Nothing.";
    "check-degraded": "A check passes with a complaint: a level is beyond its first limit, or not what it usually is at this hour (`unusual`).", "Look at the level: before a second limit makes it down, or at what is other than on other days; `picket-agent check NAME` shows what is usual.";
    "check-flapping": "A check changes too often to be called up or down.", "Look for a service near its limits or a timeout that is too tight.";
    "check-down": "A check fails.", "Read the cause. If the service has a remedy, it is on its way; watch for remedy-held.";
    "service-started": "A service's process was started.", "Nothing.";
    "service-adopted": "A new run of the agent found the service's process alive and took it over.", "Nothing; the service was not restarted.";
    "service-stopped": "A service's process ended because the agent asked it to.", "Nothing.";
    "service-died": "A service's process ended and nobody asked it to.", "Read how it ended and its last line; a restart is on its way unless the breaker is open.";
    "remedy-begun": "The agent does something about a failure.", "Wait for remedy-held or remedy-not-held.";
    "remedy-held": "The check that had failed passed again, with all others of the service, and they held: recovered, verified.", "Find out why it failed; the timeline and the evidence tell what is known.";
    "remedy-not-held": "After the remedy the service died again or kept failing its check.", "The next try follows with backoff until the breaker opens; read the cause and the last line.";
    "remedy-worse": "After the remedy more checks of the service failed than before; what could be undone of it was undone.", "Look at what the remedy did: after a rollback the newer files stand again, and the older ones did not fit either.";
    "breaker-open": "Not healed: remedies rest, because more of the same would not help.", "Read the because and the evidence, mend the service's configuration or its host; a single try follows by itself after the time named, or now with `picket-agent try NAME` on the host.";
    "breaker-half-open": "One remedy is tried to see whether the cause is gone.", "Nothing; the outcome follows.";
    "breaker-closed": "A remedy held, so remedies are allowed again.", "Nothing.";
    "service-waits": "The service fails while one that it needs is not well; nothing is done about it until that one has healed.", "Look at the service that it waits for; this one is restarted by itself afterwards if it is still down.";
    "host-starved": "A service that lives fails a check while its host is starved of CPU, memory or disk; a restart would make that worse, so it waits, for five minutes at most.", "Find what starves the host: the event of the pressure check names who takes most, `picket-agent status` shows it.";
    "evidence": "The last line that a service printed before it failed.", "Read it; the service's whole log is on its host.";
    "service-wanted": "A service that was stopped runs again: somebody started it, and from now on it is kept up.", "Nothing.";
    "service-left-stopped": "Somebody stopped the service, so it is left alone: its checks rest, nothing is healed, nobody is paged.", "Nothing. Start it (`systemctl start UNIT`), and it is kept up again.";
    "service-masked": "The service's unit is masked, so it can't run and is left alone.", "Nothing, if that was meant; else `systemctl unmask UNIT`, then start it.";
    "service-found-stopped": "The service does not run, and how it ended was not seen: it is told and left alone.", "If it should run, start it (`systemctl start UNIT`); from then on it is kept up.";
    "blind-systemd": "For a while the agent heard nothing of systemd, and then compared everything; the differences are counted.", "Nothing after a restart of the bus; if it comes often, look at the bus and at the host's load.";
    "hold-begun": "Somebody told the agent to heal nothing for a while.", "Nothing; it ends by itself at its time. `picket-agent hold off` on the host ends it now.";
    "hold-lifted": "The agent heals again.", "Nothing.";
    "vanished": "Something that should be on the host is gone: a unit, a timer, a socket, a port or a mount that was there once the host had settled.", "Read what changed just before. Bring it back, or take the host as it is: `picket-agent baseline accept` on the host.";
    "returned": "What had vanished is there again.", "Nothing.";
    "shadow-remedy": "A service that is only observed failed: the text says what would be done about it.", "Bring it back by hand. `observe = false` in its [[service]], or in [agent] for all, has the agent do it.";
    "remedy-rests": "A service failed while a person has remedies rest: nothing is done about it until that ends.", "Bring it back by hand, or end the hold on its host: `picket-agent hold off`.";
    "shadow-rest": "A service that is only observed failed again and again: the agent would not heal it any more either.", "Read the reason: a budget or the same death over and over wants the cause mended, not another restart.";
    "shadow-back": "A service that is only observed is up again and has held: somebody else brought it back, or nobody had to.", "Nothing. How long it was down tells what a remedy at once could have saved.";
    "baseline-accepted": "A person took the host as it is for what should be; what had vanished is not missed any more.", "Nothing.";
    "evidence-part": "A part of what a service printed last, asked for by an operator.", "Read it; `picket evidence HOST SERVICE` asks anew and puts the parts together.";
    "order-forbidden": "The host's own configuration forbids to give evidence when asked.", "Look on the host itself. `evidence = true` in its [collector] allows it from the agent's next start on.";
    "order-stranger": "The host's configuration names no such service.", "`picket services --host HOST` lists those that there are.";
    "order-busy": "The host is at another order; it does one at a time.", "Ask again in some seconds.";
    "order-budget": "The host has given evidence as often as it does: 6 times in a minute, over a link that costs money 6 times a day. What it has no service for counts too.", "`picket events --host HOST` says in what time it does again; or look on the host itself.";
    "order-over-cap": "The host's link has carried its cap, so nothing goes over it but what is critical.", "Look on the host itself; `picket host HOST` tells how much the link has carried.";
    "order-unreadable": "What the service printed could not be read within 2 s: its disk hangs, or the journal can't be read.", "Look on the host itself: its disk, and whether `journalctl` works for the agent's user.";
    "unknown-kind": "A frame from a newer agent that this collector cannot read yet; it is kept and acknowledged.", "Upgrade the collector; it decodes the frame then.";
    // Incidents.
    "incident-opened": "Something failed and nothing like it was open on that host.", "Read cause and timeline; acknowledge it if you take it.";
    "incident-joined": "Another condition failed within 60 s on the same host and joined the incident.", "Nothing; the finding says why it belongs there.";
    "incident-severity": "The severity was raised by the rule named.", "Judge the incident anew.";
    "incident-acknowledged": "An operator took the incident.", "Nothing.";
    "incident-note": "An operator wrote a note.", "Nothing.";
    "incident-verifying": "Everything in it is back; it must hold before the incident is resolved.", "Nothing.";
    "incident-resolved": "The incident is over; its outcome says how.", "Find out why it happened.";
    "incident-reopened": "The same root failed again within 30 minutes of its resolution.", "A remedy that does not last: look for the cause behind it.";
    "incident-late": "Something that happened while the link was down, and was over before the collector heard of it.", "Read it; it never paged.";
    "evidence-asked": "An operator asked the host for what a service printed last.", "Nothing; `picket events --host HOST --service SERVICE` has what came.";
    // Severity rules.
    "sev-fleet-silent": "P0: at least 5 hosts and at least 30 % of the fleet are silent at once.", "Look for what they share: network, power, the collector's own link.";
    "sev-duplicate-identity": "P1: two machines use one host's certificate.", "Find both machines (a clone, a stolen key), revoke one by enrolling the other anew, then resolve the incident: `picket incident resolve ID --force`, since a host that is not believed can't clear what else stands in it.";
    "sev-not-healed": "P1: a service is down and its remedies rest.", "A person is needed: read the because, mend the cause, then `picket-agent try NAME` on the host.";
    "sev-host-silent": "P2: a host is not heard.", "Look whether the host, its link or only its agent is gone.";
    "sev-service-down": "P2: a service is down or was, and its remedies are at work.", "Wait for remedy-held or breaker-open.";
    "sev-check-down": "P2: a check that belongs to no service is down.", "Nobody heals it by itself: read the cause.";
    "sev-host-pressure": "P3: a level on a host is above its first limit, or a mount will be full soon.", "Look at it today.";
    "sev-check-blind": "P3: a check can't be looked at, so nobody knows how what it watches does.", "Read the cause: give the probe what it lacks, or take the check out of the configuration.";
    "sev-vanished": "P2: something that should be on a host is gone.", "Read what changed just before; bring it back, or accept it on the host.";
    "sev-stop-overstay": "P3: somebody stopped a service and it is still stopped after 15 minutes.", "Start it again, or disable it if it is not to run.";
    "sev-overstay": "P3: an agent was stopped on purpose and is still away after 15 minutes.", "Start it again, or leave it and resolve the incident.";
    // Conditions and reasons of a finding.
    "check-blind": "A check can't be looked at: its probe can't run, or can't tell. What was known of it before may be over or not.", "Read the cause: give the probe what it lacks (a program, a right, a user), or take the check out of the configuration; both end it.";
    "host-silent": "Nothing was heard of the host for 2.5 heartbeats: 25 s, or 2.5 times as long as its agent asked for over a metered link.", "Look whether the host, its link or only its agent is gone.";
    "host-back": "The host is heard again.", "Nothing.";
    "agent-stopped": "The agent said goodbye: a planned stop is not silence.", "Nothing, unless nobody planned it.";
    "agent-removed": "The agent was removed from its host, so nothing of the host is watched or awaited any more.", "Nothing; resolve what is still open there (`--force`), since nobody can say that it is over.";
    "agent-overstay": "The agent was stopped on purpose and is still away after 15 minutes.", "Start it again, or resolve the incident.";
    "stop-overstay": "Somebody stopped a service, and it is still stopped after 15 minutes.", "Start it again (`systemctl start UNIT`), or resolve the incident with `--force` if it is to stay so.";
    "duplicate-identity": "Two live sessions use one certificate; both are quarantined and nothing of them is believed.", "Find both machines, enrol one anew, then resolve the incident: that lifts the quarantine. `--force` where it says still-firing, since a host that is not believed can't clear what else stands in it.";
    "quarantine-lifted": "An operator resolved the incident, and the host may connect again.", "Nothing.";
    "collector-restarted": "The collector was down and is back; every host gets its full time to report before it is called silent.", "Nothing.";
    "same-host-window": "Failures on one host within 60 s of each other are one incident.", "Nothing; it is why they stand together.";
    "process-before-checks": "A service's process died, so its checks fail because of it and not the other way round.", "Look at how the process ended.";
    "service-before-levels": "A service fails on a host whose levels were high or whose other checks failed before: the service is shown as the root, since those explain its failure too seldom.", "Look at the service first, then whether the level has to do with it.";
    "seen-before-blind": "Something fails on a host of which another check can't be looked at: what is seen is shown as the root.", "Look at what fails first, then at what the other check lacks.";
    "need-before-dependents": "One of the services needs another one that fails too, so it fails because of that.", "Look at the service that is needed.";
    "host-before-services": "The host is silent, so what it watches is unknown, not down.", "Look at the host first.";
    "first-seen": "No rule tells cause from effect here, so the condition seen first is shown as the root.", "Judge for yourself.";
    // Refusals by the collector.
    "not-an-operator": "The certificate is not an operator's.", "Use an operator's credentials: `picket --credentials DIR`.";
    "not-an-agent": "The certificate is not an agent's.", "Enrol the host: `picket token HOST`, then put the token into the agent's configuration.";
    "no-certificate": "The connection came without a client certificate.", "Give the credentials' folder, or enrol first.";
    "certificate-ended": "The host's certificate has ended, not longer than 90 days ago; all that it is still good for is to be renewed.", "Nothing: the agent renews it and comes back.";
    "key-replaced": "The host was enrolled anew with another key, so the certificate of the one before is not renewed.", "If this is the right machine, enrol it: make a token with `picket token HOST`, remove STATE/identity, start the agent with the token. If not, look for whoever has a copy of its key.";
    "token-unknown": "The one-time token was never made here, was made for another host, or is older than an hour.", "Make a new one: `picket token HOST`.";
    "token-used": "The one-time token was used already, by another key.", "If you did not use it, someone else did: look for that host. Make a new one: `picket token HOST`.";
    "quarantined": "Two live sessions used this host's certificate, so it is quarantined.", "Resolve the incident duplicate-identity once only one machine holds the key: `picket incident resolve ID --force`.";
    "no-answer": "Another session of this host is there or waits already, and this one did not answer in time that it is there too.", "Nothing if it ends by itself: the agent tries again at once. If it stays, look for a second machine that holds the key.";
    "hello-first": "A session must begin with Hello.", "The peer is no Picket agent, or a broken one.";
    "hello-unknown": "The agent named what it watches by a digest, and the collector does not have that list any more.", "Nothing: the agent says the whole list at its next try, at once.";
    "bad-message": "A message has a field that cannot be taken; the session was closed, nothing was changed.", "Compare the versions of agent and collector.";
    "bad-frame": "A batch holds bytes that are not whole, sound frames of the session's run; the session was closed.", "Compare versions; if they match, look at the agent's memory or disk.";
    "frame-spoiled": "A sound frame holds a body that is none, as a bit makes it that flips in the agent's memory; it is kept, and the session begins anew so that what stands is told again.", "Nothing for once; if it comes again, test that host's memory.";
    "too-large": "A message is longer than its limit.", "Compare the versions of agent and collector.";
    "too-many": "A limit was reached: sessions, watchers, or what waits to be journaled.", "Wait and try again; if it stays, the collector is too small or something loops.";
    "ranges-full": "A run would have more than 8 separate ranges of frames; the batch was refused, nothing of it was taken.", "The agent must fill or name the holes between them first: compare the versions of agent and collector.";
    "store-full": "The collector can't write its journal, so it acknowledges nothing; agents keep their events.", "Free space in the collector's data folder; it goes on by itself.";
    "not-found": "There is nothing with this id.", "List first: `picket incidents`, `picket hosts`.";
    "order-away": "The host has no session now, so nothing can be asked of it.", "`picket host HOST` tells since when; ask again when it is connected.";
    "order-unknown": "The host's agent is older than this sort of order.", "Upgrade the agent; until then look on the host itself.";
    "order-many": "As many orders as may be are on their way, to this host or to all.", "Wait for their answers, a minute at most, then ask again.";
    "order-lost": "The host's session ended before the host answered.", "Ask again.";
    "order-expired": "The host did not answer the order within a minute.", "Ask again; if it stays, look whether the host's agent is well: `picket host HOST`. What comes late stands in `picket events`.";
    "stale-revision": "The incident changed since you looked at it.", "Look again and repeat the command with the new revision.";
    "already-resolved": "The incident is resolved; it can take notes but nothing else.", "Nothing, or write a note.";
    "still-firing": "Conditions of the incident still fire.", "Resolve it with `--force` if you know better; it opens again when they fire anew.";
    "bad-input": "A value in the request is out of its range; the message names it.", "Correct it.";
    "resume-too-old": "The collector no longer has the changes since that token.", "List the incidents, then watch from now on.";
    "watch-cut": "The watcher read too slowly and was cut.", "Watch again with the last resume token.";
    "shutting-down": "The collector is ending.", "Try again when it is back.";
    // Why a link is not there, as the agent sees it.
    "link-open": "The collector took the agent's session.", "Nothing.";
    "link-cap": "The link has carried as much as its cap allows in 30 days: only critical events go over it until they are over, what else is made waits in the spool.", "Look with `picket-agent status` what is left of the period; a higher [collector] cap counts from the agent's next start.";
    "link-cap-over": "The 30 days of a link that had carried its cap are over: what waited is sent.", "Nothing.";
    "link-refused": "The collector's address refuses connections.", "Is the collector running, and is the port right?";
    "link-unreachable": "The collector's address cannot be reached.", "Look at routes and firewalls between the host and the collector.";
    "link-unresolved": "The collector's name does not resolve.", "Look at the name in the configuration and at the host's resolver.";
    "link-timed-out": "The collector did not answer in time.", "Look at the network between, and at the collector's load.";
    "link-tls": "The collector's certificate was not accepted, or it did not accept the agent's.", "Compare the CA file with the collector's, and both clocks with the certificate's dates.";
    "link-closed": "The stream ended.", "Nothing; the agent connects again with backoff.";
    "link-denied": "The collector refused the session; its message says why.", "Read the code in the message: `picket explain CODE`.";
    "link-no-route": "There is no route to the collector's address.", "Look at this host's addresses and routes: `ip route get ADDRESS`.";
    "link-no-resolver": "No resolver answered, so the collector's name is not known to exist or not.", "Look at /etc/resolv.conf and whether the resolver named there can be reached; an address instead of the name works without one.";
    "link-proxy": "The proxy on the way to the collector did not open the tunnel.", "Read the status in the message: the proxy must allow CONNECT to the collector's host and port. NO_PROXY, or no [collector] proxy, goes without it.";
    "link-proxy-auth": "The proxy on the way to the collector wants a user and a password, or refused those it got.", "Set user and password: [collector] proxy = \"http://USER@HOST:PORT\" and proxy_password_file.";
    "link-proxy-away": "The proxy on the way to the collector can't be reached.", "Look at the proxy's address, and whether it runs.";
    "link-clock": "A certificate does not hold at the time that this host's clock shows, and the clock is the likelier fault; or the clock shows a day that is over and the agent goes by a later one.", "Set the clock (`date`, NTP); an agent that is not connected connects by itself then.";
    "link-expired": "The collector's certificate has run out, by this host's clock.", "Look whether this host's clock is ahead (`date`); else restart the collector, which makes its certificate anew at each start. Agents keep their events meanwhile.";
    "link-own-expired": "This host's own certificate ran out more than 90 days ago, or the collector is one that grants no such grace.", "Make a token with `picket token HOST`, remove STATE/identity/cert.pem, and start the agent with the token.";
    "link-name": "The collector's certificate holds for other names than the one that was called.", "Call it by a name that its certificate has, or set [collector] server_name to one.";
    "link-ca": "The collector's certificate comes from another CA than the one that this host believes.", "Is it the right collector? If its data folder was made anew, enrol this host anew: remove STATE/identity and use a new token.";
    "link-intercepted": "Something on the way opens the TLS connection and shows a certificate of its own.", "Ask whoever runs that device for an exception for the collector's host and port: Picket's TLS must arrive unopened.";
    "link-not-tls": "What answers at the collector's address does not speak TLS.", "Is it the right port? A web server or a proxy's error page answers there.";
    "link-not-picket": "What answers speaks TLS but not HTTP/2, so it is no collector.", "Is it the right port? A balancer must pass TCP through and not end TLS.";
    "link-revoked": "The collector does not accept this host's certificate any more.", "If that was not meant, enrol anew: make a token with `picket token HOST`, remove STATE/identity, start the agent with the token.";
    "link-token": "This host has no certificate yet, and its token is missing or was not accepted.", "`picket token HOST` makes a new one; put it where [collector] token_file says.";
    "link-identity": "This host's own key or certificate can't be read or used.", "Where permission is denied, ask as root or as the agent's own user. Else look at STATE/identity; to begin anew remove that folder and use a new token.";
    // Where the agent keeps what waits.
    "spool-disk": "Events that wait for the collector are kept on disk.", "Nothing.";
    "state-stuck": "The disk of the agent's state folder does not answer. Services are healed and told on; claims, budgets and holds wait for it, and so does what a service itself writes there.", "Look at the disk or its network. Do not restart the agent: it would hang with the disk, and nobody would heal.";
    "state-well": "The disk of the agent's state folder answers again; what waited is written.", "Nothing.";
    "spool-ram": "Events that wait for the collector are kept in memory only: the state folder can't be written, or its disk fails or hangs; the agent's text says which. What waits is lost if the agent or the host ends.", "Make the state folder writable, or look at its disk; it is tried again every minute.";
    "spool-full": "The file system of the state folder is full, so that events wait in memory only.", "Free space there; it goes on by itself.";
    // What is watched.
    "not-watched": "Something of this host that is usually watched is not there, was not well when the agent started, or is not offered by its kernel.", "Nothing, if that is meant. Else name it in [host], so that it is watched whatever its state.";
    // Configuration.
    "config-reloaded": "The agent has read its configuration again, and it is in force; the text says what changed.", "Nothing.";
    "config-kept": "The agent's configuration has mistakes, or asks for what only a start can change: the one in force stays.", "Correct it; it is read again by itself. `picket-agent check --config FILE` tells all mistakes, `picket-agent status` since when the other one is in force.";
    "config-invalid": "The configuration has mistakes; all of them are listed with file, line and key.", "Correct them and start again; nothing was changed. Exit status 64.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_spelled_alike() {
        let distinct: BTreeSet<_> = ALL.iter().map(|code| code.code).collect();
        assert_eq!(distinct.len(), ALL.len());
        for code in ALL {
            assert!(code.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", code.code);
            assert!(code.meaning.ends_with('.') && code.next.ends_with(['.', '?', '`']), "{}", code.code);
        }
    }
}
