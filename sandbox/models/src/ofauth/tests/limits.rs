use super::*;

fn check(state: &mut State, now: u64) -> Response {
    let request = with_keys(Request::new("POST", "/v2/access/uploads/check"));
    let request = request.with_json(&json!({ "etag": "x", "size": 1 }));
    step(&request, state, now)
}

fn remaining(response: &Response) -> u64 {
    let header = response.header("x-ratelimit-remaining");
    header.unwrap().parse().unwrap()
}

#[test]
fn a_burst_of_ninety_then_one_per_second() {
    let mut state = state();
    for left in (0..90).rev() {
        let response = check(&mut state, NOW);
        assert_eq!((response.status, remaining(&response)), (200, left));
        assert_eq!(response.header("x-ratelimit-limit"), Some("60"));
    }
    let refused = check(&mut state, NOW);
    assert_eq!((refused.status, remaining(&refused)), (429, 0));
    assert_eq!(refused.header("retry-after"), None, "not documented");
    // One token is added per second, so all ninety are back after ninety seconds.
    let reset = (NOW / 1_000 + 90).to_string();
    assert_eq!(refused.header("x-ratelimit-reset"), Some(reset.as_str()));
    assert_eq!(check(&mut state, NOW + 999).status, 429);
    assert_eq!(check(&mut state, NOW + 1_000).status, 200);
    assert_eq!(check(&mut state, NOW + 1_000).status, 429);
    // The bucket fills up again, up to its burst.
    assert_eq!(remaining(&check(&mut state, NOW + 1_000_000)), 89);
}

#[test]
fn parts_and_refusals_count_and_connections_have_limits_of_their_own() {
    let mut state = state();
    state.config.burst = 4;
    state.config.connections.push("conn_other".to_string());
    let plan = init(&mut state, 6 * MIB).json_body();
    let part = &part_puts(&plan)[0];
    assert_eq!(remaining(&step(part, &mut state, NOW)), 2);
    let response = post(&mut state, "init", json!({}));
    assert_eq!((response.status, remaining(&response)), (400, 1));
    let nowhere = with_keys(Request::new("GET", "/v2/access/uploads/x"));
    let response = step(&nowhere, &mut state, NOW);
    assert_eq!((response.status, remaining(&response)), (404, 0));
    assert_eq!(step(part, &mut state, NOW).status, 429);
    let other = nowhere.with_header("x-connection-id", "conn_other");
    assert_eq!(remaining(&step(&other, &mut state, NOW)), 3);
}

#[test]
fn the_unit_of_reset_is_a_setting() {
    for (unit, expected) in [
        (ResetUnit::Seconds, "30".to_string()),
        (ResetUnit::EpochSeconds, (NOW / 1_000 + 30).to_string()),
        (ResetUnit::EpochMillis, (NOW + 30_000).to_string()),
    ] {
        let mut state = state();
        state.config.burst = 1;
        state.config.rate_per_minute = 2;
        state.config.reset_unit = unit;
        let response = check(&mut state, NOW);
        assert_eq!(response.header("x-ratelimit-reset"), Some(&*expected));
    }
}

#[test]
fn the_json_names_of_the_settings() {
    let changes = json!({
        "partSize": 1, "singleMax": 2, "layout": "headers", "media": false,
        "ratePerMinute": 3, "burst": 4,
    });
    let config = crate::settings::overlay(&Config::default(), &changes).unwrap();
    assert_eq!((config.part_size, config.single_max), (1, 2));
    assert_eq!((config.layout, config.media), (Layout::Headers, false));
    assert_eq!((config.rate_per_minute, config.burst), (3, 4));
    let wrong = json!({ "layout": "none" });
    assert!(crate::settings::overlay(&config, &wrong).is_err());
}
