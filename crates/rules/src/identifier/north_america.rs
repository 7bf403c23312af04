//! Which numbers of country code 1 are in the United States.

/// Area codes of the North American Numbering Plan outside the fifty states and the district: Canada, the Caribbean, and
/// the territories, of which Meta does not say whether they count (NANPA's list of area codes, 2026).
const ELSEWHERE: [u16; 86] = [
    // Canada.
    204, 226, 236, 249, 250, 257, 263, 289, 306, 343, 354, 365, 367, 368, 382, 387, 403, 416, 418, 428, 431, 437, 438,
    450, 460, 468, 474, 506, 514, 519, 537, 548, 568, 579, 581, 584, 587, 604, 613, 639, 647, 672, 683, 705, 709, 742,
    753, 778, 780, 782, 807, 819, 825, 867, 873, 879, 902, 905, 942, // The Caribbean and Bermuda.
    242, 246, 264, 268, 284, 345, 441, 473, 649, 658, 664, 721, 758, 767, 784, 809, 829, 849, 868, 869, 876,
    // Territories of the United States.
    340, 670, 671, 684, 787, 939,
];

/// Whether E.164 digits (without `+`) are a number in the United States.
pub fn is_in_the_united_states(digits: &str) -> bool {
    let area = digits.strip_prefix('1').filter(|rest| rest.len() == 10).and_then(|rest| rest.get(..3));
    let Some(area) = area.and_then(|area| area.parse::<u16>().ok()) else { return false };
    area >= 200 && !ELSEWHERE.contains(&area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_neighbours() {
        for (digits, inside) in [
            ("16505550142", true),
            ("12125550142", true),
            ("14165550142", false),
            ("18765550142", false),
            ("17875550142", false),
            ("1650555014", false),
            ("4930555010", false),
            ("urn:mbid:1", false),
            ("", false),
        ] {
            assert_eq!(is_in_the_united_states(digits), inside, "{digits}");
        }
    }
}
