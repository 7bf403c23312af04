//! Where a text and a pattern part.
//!
//! From the front each literal is looked for behind the one before it, and from the back the same; between the two stands
//! the literal that is missing. It is laid where it fits best, and its first wrong character is the difference.

use super::{
    lay::{Laid, lay},
    pattern::{Pattern, gaps},
};

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

/// The literals of a pattern that stand in a text, as far as is found without laying the missing ones.
#[derive(Debug)]
pub(super) struct Rough<'a> {
    pattern: &'a Pattern,
    source: &'a str,
    text: &'a str,
    /// Where each literal ends, from the first on.
    ends: Vec<usize>,
    /// Where each begins, from the last back.
    starts: Vec<usize>,
    total: usize,
}

impl<'a> Rough<'a> {
    pub(super) fn new(pattern: &'a Pattern, source: &'a str, text: &'a str) -> Self {
        let total = pattern.pieces.iter().map(|piece| (piece.end - piece.start) as usize).sum();
        let (ends, starts) = (forward(pattern, source, text), backward(pattern, source, text));
        Self { pattern, source, text, ends, starts, total }
    }

    /// The first literal that is missing from the front, and from the back.
    fn missing(&self) -> (usize, usize) {
        (self.ends.len(), (self.pattern.pieces.len() - 1).saturating_sub(self.starts.len()))
    }

    /// Bytes of the literals that are found, but for one.
    fn whole(&self, but: Option<usize>) -> usize {
        let (front, back) = self.missing();
        let counted = |index: &usize| (*index < front || *index > back) && Some(*index) != but;
        let pieces = 0..self.pattern.pieces.len();
        pieces.filter(counted).map(|index| self.pattern.literal(self.source, index).len()).sum()
    }

    /// As [`Difference::nearness`], at the least.
    pub(super) fn nearness(&self) -> isize {
        2 * self.whole(None).cast_signed() - self.total.cast_signed()
    }

    /// The first difference. None: the text is the pattern. Where every literal is found but a repeated parameter has
    /// different values, that is the difference. `left` is what may be spent: see [`super::lay::BUDGET`].
    pub(super) fn difference(&self, left: &mut usize) -> Option<Difference> {
        difference(self, left)
    }
}

fn difference(rough: &Rough<'_>, left: &mut usize) -> Option<Difference> {
    let Rough { pattern, source, text, ends, starts, total } = rough;
    let total = *total;
    let last = pattern.pieces.len() - 1;
    let literal = |index| pattern.literal(source, index);
    let (front, back) = rough.missing();
    if front > last {
        return repeated(pattern, source, text, total);
    }
    let end_of = |index: usize| ends.get(index).copied();
    let start_of = |index: usize| starts.get(last.checked_sub(index)?).copied();
    // Where all are there, if looked for from one side, another place of a short literal has been taken for it: any
    // between the two may be the one that is missing.
    let missing = if front <= back { front..=front } else { back..=front };
    let mut best: Option<(usize, usize, Laid)> = None;
    // Two literals that meet: the value between them is what is missing.
    let meet = front.checked_sub(1).and_then(end_of).is_some_and(|end| start_of(front) == Some(end));
    for index in missing.filter(|_| !meet) {
        let start = match index.checked_sub(1) {
            None => 0,
            // Behind at least one character of the gap.
            Some(before) => match end_of(before).map(|end| (end, first(text, end))) {
                Some((end, gap)) if gap > 0 => end + gap,
                _ => continue,
            },
        };
        let end = match (index < last).then(|| start_of(index + 1)).flatten() {
            // And before one of the next.
            Some(to) => to - text.get(..to).and_then(|before| before.chars().next_back()).map_or(0, char::len_utf8),
            None => text.len(),
        };
        let Some(window) = text.get(start..end) else { continue };
        let laid = lay(literal(index), window, index == 0, index == last, left);
        let wrong = |index: usize, laid: &Laid| literal(index).len() - laid.common;
        if best.as_ref().is_none_or(|(other, _, before)| wrong(index, &laid) < wrong(*other, before)) {
            best = Some((index, start, laid));
        }
    }
    let Some((index, start, laid)) = best else {
        // No room for a value between the literals that are there.
        let at = front.checked_sub(1).and_then(end_of).unwrap_or(0);
        let common = rough.whole(Some(front));
        return Some(Difference { at, expected: value_of(source, front), common, missing: total - common });
    };
    // The last one that is missing counts for how near the two are, and is not told.
    let at_back = if back > front {
        let to = start_of(back + 1).unwrap_or(text.len());
        let window = text.get((start + laid.at).min(to)..to).unwrap_or_default();
        lay(literal(back), window, false, back == last, left).common
    } else {
        0
    };
    let common = rough.whole(Some(index)) + laid.common + at_back;
    let expected = literal(index).get(laid.offset..).unwrap_or_default().to_owned();
    Some(Difference { at: start + laid.at, expected, common, missing: total.saturating_sub(common) })
}

/// Where each literal ends, one behind the other, until one is not found.
fn forward(pattern: &Pattern, source: &str, text: &str) -> Vec<usize> {
    let last = pattern.pieces.len() - 1;
    let head = pattern.literal(source, 0);
    let mut ends = Vec::with_capacity(last + 1);
    if !text.starts_with(head) || last == 0 && text != head {
        return ends;
    }
    let mut at = head.len();
    ends.push(at);
    for index in 1..=last {
        let gap = first(text, at);
        let Some(rest) = text.get(at + gap..).filter(|_| gap > 0) else { break };
        let literal = pattern.literal(source, index);
        let found = if index == last {
            rest.ends_with(literal).then(|| rest.len() - literal.len())
        } else {
            memchr::memmem::find(rest.as_bytes(), literal.as_bytes())
        };
        let Some(found) = found else { break };
        at += gap + found + literal.len();
        ends.push(at);
    }
    ends
}

/// Where each literal begins, from the last to the first, until one is not found.
fn backward(pattern: &Pattern, source: &str, text: &str) -> Vec<usize> {
    let last = pattern.pieces.len() - 1;
    let tail = pattern.literal(source, last);
    let mut starts = Vec::with_capacity(last + 1);
    if last == 0 || !text.ends_with(tail) {
        return starts;
    }
    let mut to = text.len() - tail.len();
    starts.push(to);
    for index in (0..last).rev() {
        let literal = pattern.literal(source, index);
        let Some(gap) = text.get(..to).and_then(|before| before.chars().next_back()) else { break };
        let before = text.get(..to - gap.len_utf8()).unwrap_or_default();
        let found = if index == 0 {
            before.starts_with(literal).then_some(0)
        } else {
            memchr::memmem::rfind(before.as_bytes(), literal.as_bytes())
        };
        let Some(found) = found else { break };
        to = found;
        starts.push(to);
    }
    starts
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
    use super::{super::lay::BUDGET, *};
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
            let found = Rough::new(&pattern, source, &marked.replace('|', "")).difference(&mut BUDGET.clone()).unwrap();
            assert_eq!((found.at, found.expected.as_str()), (at, expected), "{source} / {marked}");
        }
        let pattern = Pattern::new("Hi {{1}}!", ParameterFormat::Positional).unwrap();
        assert_eq!(Rough::new(&pattern, "Hi {{1}}!", "Hi Dana!").difference(&mut BUDGET.clone()), None);
    }
}
