//! The table of codes is closed: whatever the simulator can emit has a row.

use herald_channels::simulated::codes;
use herald_rules::reason::Reason;
use herald_simulators::Code;

#[test]
fn every_code_of_the_simulator_has_a_row() {
    for code in Code::ALL.iter().filter(|code| **code != Code::MessageNotFound) {
        let row = codes::find(code.as_str());
        assert!(row.is_some_and(|(reason, _)| reason != Reason::Unspecified), "{}", code.as_str());
    }
    // An answer to look-ups alone, where it is no error.
    assert_eq!(codes::find(Code::MessageNotFound.as_str()), None);
}
