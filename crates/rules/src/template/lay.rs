//! Where in a text a literal is meant that is not in it as it should be.

/// What one text may cost, in characters compared: some 2 ms. A text and literals of one letter would take a second.
pub(super) const BUDGET: usize = 1 << 20;

/// How a literal lies in a text that does not have it.
#[derive(Debug)]
pub(super) struct Laid {
    /// The first wrong character in the text, and in the literal.
    pub(super) at: usize,
    pub(super) offset: usize,
    /// Bytes of the literal that are right.
    pub(super) common: usize,
}

/// Lays a literal where it fits best: with very few wrong characters in a row of the same length, as when letters are
/// mistyped; else where the most of its beginning is right, as when something is missing or added.
pub(super) fn lay(literal: &str, window: &str, at_start: bool, at_end: bool, left: &mut usize) -> Laid {
    let expected: Vec<char> = literal.chars().collect();
    let given: Vec<(usize, char)> = window.char_indices().collect();
    let byte = |place: usize| given.get(place).map_or(window.len(), |(byte, _)| *byte);
    let offset = |count: usize| expected.iter().take(count).map(|character| character.len_utf8()).sum::<usize>();
    let places = if at_start { 0..1 } else { 0..given.len() + 1 };
    let mistyped = mistyped(&expected, &given, at_start, at_end, left);
    let mut begun = (0, 0);
    for place in places {
        let rest = given.get(place..).unwrap_or_default();
        let length = expected.iter().zip(rest).take_while(|(expected, (_, given))| *expected == given).count();
        if length > begun.1 {
            begun = (place, length);
        }
        *left = left.saturating_sub(length + 1);
        if *left == 0 {
            break;
        }
    }
    match mistyped {
        Some(found) if found.wrong <= (expected.len() / 16).max(1) || found.first >= begun.1 => Laid {
            at: byte(found.place + found.first),
            offset: offset(found.first),
            common: literal.len() - found.bytes.min(literal.len()),
        },
        _ => Laid { at: byte(begun.0 + begun.1), offset: offset(begun.1), common: offset(begun.1) },
    }
}

struct Mistyped {
    place: usize,
    /// The first wrong character, counted within the literal.
    first: usize,
    /// How many are wrong, and their bytes.
    wrong: usize,
    bytes: usize,
}

/// Where the literal has the fewest wrong characters, at most an eighth; of equal places the one where letters stand for
/// letters and signs for signs, then the first.
fn mistyped(
    expected: &[char],
    given: &[(usize, char)],
    at_start: bool,
    at_end: bool,
    left: &mut usize,
) -> Option<Mistyped> {
    let room = given.len().checked_sub(expected.len())?;
    let places = match (at_start, at_end) {
        // A literal that is the whole text has one place, if the text is as long.
        (true, true) if room > 0 => return None,
        (true, _) => 0..1,
        (false, true) => room..room + 1,
        (false, false) => 0..room + 1,
    };
    let mut most = (expected.len() / 8).max(1);
    let mut best: Option<(usize, usize, Mistyped)> = None;
    for place in places {
        let (mut wrong, mut strange, mut bytes, mut first) = (0, 0, 0, None);
        if *left == 0 {
            break;
        }
        for (index, (expected, (_, given))) in expected.iter().zip(given.get(place..)?).enumerate() {
            *left = left.saturating_sub(1);
            if expected != given {
                first = first.or(Some(index));
                wrong += 1;
                strange += usize::from(expected.is_alphanumeric() != given.is_alphanumeric());
                bytes += expected.len_utf8();
                if wrong > most {
                    break;
                }
            }
        }
        if wrong > most || best.as_ref().is_some_and(|(least, odd, _)| (*least, *odd) <= (wrong, strange)) {
            continue;
        }
        most = wrong;
        let found = Mistyped { place, first: first.unwrap_or(expected.len()), wrong, bytes };
        best = Some((wrong, strange, found));
    }
    best.map(|(_, _, found)| found)
}
