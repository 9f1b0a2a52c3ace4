//! What stands beside a token.

use super::*;

#[test]
fn a_token_for_the_name_of_a_known_host_says_whose_place_it_takes() {
    let screen = Screen::still(120, NOW);
    let made = v1::CreateTokenResponse { token: "pkt1.x".to_owned(), ..Default::default() };
    let known = |state: v1::HostState| {
        let host = v1::Host { host: "web-1".to_owned(), state: state.into(), ..Default::default() };
        token("web-1", &made, Some(&host), &screen).1
    };
    assert!(!token("web-1", &made, None, &screen).1.contains("Note"));
    let said = known(v1::HostState::Connected);
    assert!(said.starts_with("Note: web-1 has enrolled already and is connected."), "{said}");
    assert!(known(v1::HostState::Silent).starts_with("Note: web-1 has enrolled already. Who enrols"));
    assert_eq!(token("web-1", &made, None, &screen).0, "pkt1.x\n");
}
