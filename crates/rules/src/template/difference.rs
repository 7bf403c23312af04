//! Where a text and a pattern part.
//!
//! From the front each literal is looked for behind the one before it, and from the back the same; between the two stands
//! the literal that is missing. It is laid where it fits best, and its first wrong character is the difference.

use super::pattern::{Pattern, gaps};

/// The first difference, and how much is alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// In the text, in bytes.
    pub(super) at: usize,
    /// What the pattern has there.
    pub(super) expected: String,
    /// Bytes of the pattern's literals that the text has, and has not.
    pub(super) common: usize,
    pub(super) missing: usize,
}

impl Difference {
    /// More is nearer: long templates with one wrong letter before short ones of which all is wrong.
    pub(super) fn nearness(&self) -> isize {
        self.common.cast_signed() - self.missing.cast_signed()
    }
}

/// What one text may cost, in characters compared: some 2 ms. A text and literals of one letter would take a second.
pub(super) const BUDGET: usize = 1 << 20;

/// None: the text is the pattern. Texts in which only the values of a repeated parameter differ are not.
pub(super) fn difference(pattern: &Pattern, source: &str, text: &str, left: &mut usize) -> Option<Difference> {
    let last = pattern.pieces.len().checked_sub(1)?;
    let literal = |index| pattern.literal(source, index);
    let total: usize = (0..=last).map(|index| literal(index).len()).sum();
    let Some((front, from)) = forward(pattern, source, text) else {
        return repeated(pattern, source, text, total);
    };
    let (back, to) = backward(pattern, source, text);
    let whole = |pieces: std::ops::Range<usize>| pieces.map(|index| literal(index).len()).sum::<usize>();
    let behind = whole((back + 1).max(front + 1)..last + 1);
    let found = whole(0..front) + behind;
    if front > back || from > to || front > 0 && from == text.len() {
        // No room for a value between the literals that are there.
        let (expected, common) = (value_of(source, front), found.min(total));
        return Some(Difference { at: from, expected, common, missing: total - common });
    }
    // The missing literal lies behind at least one character of the gap before it, and before one of the gap behind.
    let start = if front == 0 { 0 } else { from + first(text, from) };
    let gap_behind = text.get(..to).and_then(|before| before.chars().next_back()).map_or(0, char::len_utf8);
    let end = if back != front || back == last { text.len() } else { to - gap_behind };
    let window = text.get(start..end.max(start)).unwrap_or_default();
    let laid = lay(literal(front), window, front == 0, front == last, left);
    // The last one that is missing counts for how near the two are, and is not told.
    let at_back = if back == front {
        0
    } else {
        let window = text.get((start + laid.at).min(to)..to).unwrap_or_default();
        lay(literal(back), window, false, back == last, left).common
    };
    let common = (found + laid.common + at_back).min(total);
    let expected = literal(front).get(laid.offset..).unwrap_or_default().to_owned();
    Some(Difference { at: start + laid.at, expected, common, missing: total - common })
}

/// The first literal that is not found, and where the search for it begins. None: all are there.
fn forward(pattern: &Pattern, source: &str, text: &str) -> Option<(usize, usize)> {
    let last = pattern.pieces.len() - 1;
    let head = pattern.literal(source, 0);
    if !text.starts_with(head) || last == 0 && text != head {
        return Some((0, 0));
    }
    let mut at = head.len();
    for index in 1..=last {
        let earliest = at + first(text, at);
        let literal = pattern.literal(source, index);
        let rest = if earliest > at { text.get(earliest..) } else { None };
        let Some(rest) = rest else { return Some((index, at)) };
        let found = if index == last {
            rest.ends_with(literal).then(|| rest.len() - literal.len())
        } else {
            memchr::memmem::find(rest.as_bytes(), literal.as_bytes())
        };
        match found {
            Some(found) => at = earliest + found + literal.len(),
            None => return Some((index, at)),
        }
    }
    None
}

/// The last literal that is not found from the back, and where the search for it ends.
fn backward(pattern: &Pattern, source: &str, text: &str) -> (usize, usize) {
    let last = pattern.pieces.len() - 1;
    let tail = pattern.literal(source, last);
    if last == 0 || !text.ends_with(tail) {
        return (last, text.len());
    }
    let mut to = text.len() - tail.len();
    for index in (0..last).rev() {
        let literal = pattern.literal(source, index);
        let Some(gap) = text.get(..to).and_then(|before| before.chars().next_back()) else { return (index, to) };
        let before = text.get(..to - gap.len_utf8()).unwrap_or_default();
        let found = if index == 0 {
            before.starts_with(literal).then_some(0)
        } else {
            memchr::memmem::rfind(before.as_bytes(), literal.as_bytes())
        };
        match found {
            Some(found) => to = found,
            None => return (index, to),
        }
    }
    (0, to)
}

/// The length of the character at a place.
fn first(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

/// A parameter, for one that has no value: `{{1}}`.
fn value_of(source: &str, literal: usize) -> String {
    let gap = literal.checked_sub(1).and_then(|gap| gaps(source).nth(gap));
    gap.and_then(|(gap, _)| source.get(gap)).unwrap_or_default().to_owned()
}

/// How a literal lies in a text that does not have it.
struct Laid {
    /// The first wrong character in the text, and in the literal.
    at: usize,
    offset: usize,
    /// Bytes of the literal that are right.
    common: usize,
}

/// Lays a literal where it fits best: with very few wrong characters in a row of the same length, as when letters are
/// mistyped; else where the most of its beginning is right, as when something is missing or added.
fn lay(literal: &str, window: &str, at_start: bool, at_end: bool, left: &mut usize) -> Laid {
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

/// Where the literal has the fewest wrong characters, at most a quarter; of equal places the one where letters stand for
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
    let mut most = (expected.len() / 4).max(1);
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

/// Only a repeated parameter can be what differs: the first place where it has another value than before.
fn repeated(pattern: &Pattern, source: &str, text: &str, total: usize) -> Option<Difference> {
    if !pattern.repeated {
        return None;
    }
    let last = pattern.pieces.len() - 1;
    let mut values: Vec<Option<&str>> = vec![None; pattern.slots.into()];
    let mut at = pattern.literal(source, 0).len();
    for (index, piece) in pattern.pieces.iter().enumerate().take(last) {
        let earliest = at + first(text, at);
        let literal = pattern.literal(source, index + 1);
        let end = if index + 1 == last {
            text.len() - literal.len()
        } else {
            earliest + memchr::memmem::find(text.get(earliest..)?.as_bytes(), literal.as_bytes())?
        };
        let value = text.get(at..end)?;
        match values.get_mut(usize::from(piece.slot))? {
            Some(before) if *before != value => {
                let common = before.chars().zip(value.chars()).take_while(|(a, b)| a == b);
                let same: usize = common.map(|(character, _)| character.len_utf8()).sum();
                let expected = before.get(same..).filter(|rest| !rest.is_empty()).unwrap_or(literal).to_owned();
                return Some(Difference { at: at + same, expected, common: total, missing: 1 });
            }
            known => *known = Some(value),
        }
        at = end + literal.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::ParameterFormat;

    #[test]
    fn the_first_difference_is_where_a_person_would_put_it() {
        // Template, text with the difference marked by |, what is expected there.
        let table = [
            ("Hi {{1}}, your order is ready.", "Hi Dana, your |0rder is ready.", "order is ready."),
            ("Hi {{1}}, your order is ready.", "H|o Dana, your order is ready.", "i "),
            ("Hi {{1}}, your order is ready.", "Hi Dana, your order is ready|", "."),
            ("Hi {{1}}, your order is ready.", "Hi Dana, your order is ready|!", "."),
            ("Hi {{1}}, your order is ready.", "Hi Dana, your order is ready.| Thanks", ""),
            ("Hi {{1}}, your order is ready.", "Hi Dana, your |is ready.", "order is ready."),
            ("Hi {{1}}, your order is ready.", "Hi Dana, your |nice order is ready.", "order is ready."),
            ("Hi {{1}}, it was {{2}}. All the best, {{3}}!", "Hi Dana, it wa|z fun. All the best, us!", "s "),
            ("Hi {{1}}, it was {{2}}. All the best, {{3}}!", "Hi Dana, it was fun. All the |rest, us!", "best, "),
            (
                "Hi {{1}}, it was {{2}}. All the best, {{3}}!",
                "Hi Dana, it was fun|! All the best, us!",
                ". All the best, ",
            ),
            ("Hi {{1}}!", "Hi |!", "{{1}}"),
            ("Hi {{1}}!", "Hi |", "{{1}}"),
            ("Hi", "H|o", "i"),
            ("Hi", "Hi|!", ""),
            ("שלום {{1}}, ההזמנה מוכנה", "שלום דנה, ההזמנה מוכנ|ת", "ה"),
            ("{{1}} is {{1}}.", "this is th|at.", "is"),
        ];
        for (source, marked, expected) in table {
            let pattern = Pattern::new(source, ParameterFormat::Positional).unwrap();
            let at = marked.find('|').unwrap();
            let found = difference(&pattern, source, &marked.replace('|', ""), &mut BUDGET.clone()).unwrap();
            assert_eq!((found.at, found.expected.as_str()), (at, expected), "{source} / {marked}");
        }
        let pattern = Pattern::new("Hi {{1}}!", ParameterFormat::Positional).unwrap();
        assert_eq!(difference(&pattern, "Hi {{1}}!", "Hi Dana!", &mut BUDGET.clone()), None);
    }
}
