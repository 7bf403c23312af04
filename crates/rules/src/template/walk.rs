//! Whether a text is a pattern with its gaps filled, and with what.
//!
//! Without repeated parameters the shortest value for each gap in turn is enough: if any filling fits, this one does, and
//! the time is linear. A repeated parameter makes the question hard in general (membership in a pattern language is
//! NP-complete), so that the search for its values has a budget.

use super::pattern::Pattern;
use std::ops::Range;

/// What one text may cost in all searches for repeated parameters. A step is 8 and a byte looked over 1/16, so that the
/// worst text takes some milliseconds.
const BUDGET: u32 = 1 << 20;
const STEP: u32 = 8;

/// What the searches of one text share: what is left to spend, and memory.
#[derive(Debug)]
pub(super) struct Walker {
    left: u32,
    /// The value of each parameter, as a range of the text, after a walk that fitted.
    pub(super) values: Vec<Range<usize>>,
}

impl Default for Walker {
    fn default() -> Self {
        Self { left: BUDGET, values: Vec::new() }
    }
}

/// Finds a literal: near ones with the least of work, far ones in linear time.
fn find(text: &[u8], literal: &[u8]) -> Option<usize> {
    // Values are names, dates and numbers: the literal mostly stands within some 32 bytes, where setting up a search
    // would cost more than looking. At most 4 comparisons fail before the search that is linear for every input.
    let Some(first) = literal.first() else { return Some(0) };
    let mut at = 0;
    for _ in 0..4 {
        at += memchr::memchr(*first, text.get(at..)?)?;
        if text.get(at..)?.starts_with(literal) {
            return Some(at);
        }
        at += 1;
    }
    memchr::memmem::find(text.get(at..)?, literal).map(|found| at + found)
}

/// Where the character that begins at a place ends.
fn next_character(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut next = at + 1;
    bytes.get(at)?;
    while bytes.get(next).is_some_and(|byte| byte & 0xc0 == 0x80) {
        next += 1;
    }
    Some(next)
}

impl Walker {
    /// Whether the text is the pattern; its values are then in `values`.
    pub(super) fn fits(&mut self, pattern: &Pattern, source: &str, text: &str) -> bool {
        let Some(last) = pattern.pieces.len().checked_sub(1) else { return false };
        let (head, tail) = (pattern.literal(source, 0), pattern.literal(source, last));
        if text.len() < pattern.shortest as usize || !text.starts_with(head) || !text.ends_with(tail) {
            return false;
        }
        if last == 0 {
            self.values.clear();
            return text.len() == head.len();
        }
        let (from, end) = (head.len(), text.len() - tail.len());
        self.values.clear();
        self.values.resize(pattern.slots.into(), 0..0);
        if !self.greedy(pattern, source, text, 0, from, end) {
            return false;
        }
        if !pattern.repeated || consistent(pattern, &self.values, source, text) {
            return true;
        }
        let mut bound = vec![None; pattern.slots.into()];
        let mut search = Search { pattern, source, text, end, left: &mut self.left, dead: vec![usize::MAX; last] };
        if search.from(0, from, &mut bound) != Step::Fits {
            return false;
        }
        self.values = bound.into_iter().map(Option::unwrap_or_default).collect();
        true
    }

    /// Fills the gaps from `gap` on, each with as little as possible. A repeated parameter gets its last value.
    fn greedy(&mut self, pattern: &Pattern, source: &str, text: &str, gap: usize, from: usize, end: usize) -> bool {
        let last = pattern.pieces.len() - 1;
        let mut at = from;
        for (index, piece) in pattern.pieces.iter().enumerate().take(last).skip(gap) {
            let Some(earliest) = next_character(text, at).filter(|earliest| *earliest <= end) else { return false };
            let found = if index + 1 == last {
                end
            } else {
                let literal = pattern.literal(source, index + 1).as_bytes();
                let Some(found) = text.as_bytes().get(earliest..end).and_then(|rest| find(rest, literal)) else {
                    return false;
                };
                earliest + found
            };
            if let Some(value) = self.values.get_mut(usize::from(piece.slot)) {
                *value = at..found;
            }
            at = found + pattern.literal(source, index + 1).len();
        }
        true
    }
}

/// Whether the values, put into the pattern, give the text.
fn consistent(pattern: &Pattern, values: &[Range<usize>], source: &str, text: &str) -> bool {
    let mut rest = text;
    let last = pattern.pieces.len() - 1;
    for (index, piece) in pattern.pieces.iter().enumerate() {
        let Some(after) = rest.strip_prefix(pattern.literal(source, index)) else { return false };
        rest = after;
        if index < last {
            let value = values.get(usize::from(piece.slot)).cloned().and_then(|value| text.get(value));
            let Some(after) = value.and_then(|value| rest.strip_prefix(value)) else { return false };
            rest = after;
        }
    }
    rest.is_empty()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Fits,
    /// Not with the values chosen so far.
    No,
    /// Nothing is left to spend.
    Spent,
}

/// The search for values of repeated parameters: the shortest first, back where they do not fit.
struct Search<'a> {
    pattern: &'a Pattern,
    source: &'a str,
    text: &'a str,
    end: usize,
    left: &'a mut u32,
    /// For each gap, the first place from which what follows cannot fit even if every value were free. What begins later
    /// has less room, so it cannot either.
    dead: Vec<usize>,
}

impl Search<'_> {
    fn spend(&mut self, bytes: usize) -> bool {
        let cost = STEP + (bytes / 16) as u32;
        let enough = *self.left >= cost;
        *self.left = self.left.saturating_sub(cost);
        enough
    }

    fn from(&mut self, gap: usize, at: usize, bound: &mut [Option<Range<usize>>]) -> Step {
        let last = self.pattern.pieces.len() - 1;
        if gap == last {
            // The literal after the last gap ends at the end: `end` is where the gap ends.
            return if at == self.end { Step::Fits } else { Step::No };
        }
        if self.dead.get(gap).is_some_and(|dead| at >= *dead) {
            return Step::No;
        }
        let Some(piece) = self.pattern.pieces.get(gap) else { return Step::No };
        let slot = usize::from(piece.slot);
        let literal = if gap + 1 == last { "" } else { self.pattern.literal(self.source, gap + 1) };
        let known = bound.get(slot).cloned().flatten();
        if let Some(value) = known {
            if !self.spend(value.len()) {
                return Step::Spent;
            }
            let value = self.text.get(value).unwrap_or_default();
            let rest = self.text.get(at..self.end).and_then(|rest| rest.strip_prefix(value)?.strip_prefix(literal));
            return match rest {
                Some(rest) => self.from(gap + 1, self.end - rest.len(), bound),
                None => Step::No,
            };
        }
        let Some(mut earliest) = next_character(self.text, at).filter(|next| *next <= self.end) else {
            self.bury(gap, at);
            return Step::No;
        };
        if gap + 1 == last {
            if let Some(value) = bound.get_mut(slot) {
                *value = Some(at..self.end);
            }
            return Step::Fits;
        }
        let mut first = true;
        loop {
            let rest = self.text.as_bytes().get(earliest..self.end);
            let Some(found) = rest.and_then(|rest| find(rest, literal.as_bytes())) else {
                if first {
                    self.bury(gap, at);
                }
                return if self.spend(self.end - earliest) { Step::No } else { Step::Spent };
            };
            first = false;
            let behind = earliest + found;
            if !self.spend(found) {
                return Step::Spent;
            }
            if let Some(value) = bound.get_mut(slot) {
                *value = Some(at..behind);
            }
            let step = self.from(gap + 1, behind + literal.len(), bound);
            if step != Step::No {
                return step;
            }
            if let Some(value) = bound.get_mut(slot) {
                *value = None;
            }
            // No later place can be better where what follows is impossible from here on.
            if self.dead.get(gap + 1).is_some_and(|dead| behind + literal.len() >= *dead) {
                return Step::No;
            }
            match next_character(self.text, behind).filter(|next| *next <= self.end) {
                Some(next) => earliest = next,
                None => return Step::No,
            }
        }
    }

    /// Nothing that follows this gap fits from here on.
    fn bury(&mut self, gap: usize, at: usize) {
        if let Some(dead) = self.dead.get_mut(gap) {
            *dead = (*dead).min(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::ParameterFormat;
    use proptest::{collection::vec, prelude::*};

    fn values<'a>(source: &str, text: &'a str) -> Option<Vec<&'a str>> {
        let pattern = Pattern::new(source, ParameterFormat::Positional).unwrap();
        let mut walker = Walker::default();
        let fits = walker.fits(&pattern, source, text);
        fits.then(|| walker.values.iter().map(|value| &text[value.clone()]).collect())
    }

    #[test]
    fn gaps_are_filled_with_as_little_as_fits() {
        let table: &[(&str, &str, Option<&[&str]>)] = &[
            ("Hi {{1}}!", "Hi Dana!", Some(&["Dana"])),
            ("Hi {{1}}!", "Hi !", None),
            ("Hi {{1}}!", "Hi !!", Some(&["!"])),
            ("Hi {{1}}!", "Hi Dana", None),
            ("Hi", "Hi", Some(&[])),
            ("Hi", "Hi ", None),
            ("", "", Some(&[])),
            ("{{1}}", "x", Some(&["x"])),
            ("{{1}}", "", None),
            ("{{1}}{{2}}", "דנה", Some(&["ד", "נה"])),
            ("{{1}}{{2}}", "x", None),
            ("{{1}}, {{2}}", "a, b, c", Some(&["a", "b, c"])),
            ("{{1}}, {{2}}, {{3}}", "a, b, c", Some(&["a", "b", "c"])),
            ("{{2}} of {{1}}", "king of hearts", Some(&["hearts", "king"])),
            ("a{{1}}aa", "aaa", None),
            ("a{{1}}aa", "aaaa", Some(&["a"])),
            ("x{{1}}ab{{2}}", "xabab1", Some(&["ab", "1"])),
        ];
        for (source, text, expected) in table {
            assert_eq!(values(source, text).as_deref(), *expected, "{source} | {text}");
        }
    }

    #[test]
    fn a_repeated_parameter_holds_the_same_value_everywhere() {
        let table: &[(&str, &str, Option<&[&str]>)] = &[
            ("{{1}} is {{1}}.", "this is this.", Some(&["this"])),
            ("{{1}} is {{1}}.", "this is that.", None),
            // The shortest value does not fit, a longer one does.
            ("{{1}} is {{1}}.", "what is is what is.", Some(&["what is"])),
            ("{{2}}: {{1}} and {{1}}, {{2}}", "a: b: c and b: c, a", Some(&["b: c", "a"])),
            ("{{2}}: {{1}} and {{1}}", "x: y: z and z", Some(&["z", "x: y"])),
            ("{{1}} {{1}} {{1}}", "a b a b a b", Some(&["a b"])),
            ("{{1}}{{1}}", "abab", Some(&["ab"])),
            ("{{1}}{{1}}", "aba", None),
            ("{{1}}{{2}}{{1}}", "שלום!שלום", Some(&["שלום", "!"])),
        ];
        for (source, text, expected) in table {
            let got = values(source, text);
            if let (Some(got), Some(expected)) = (&got, expected) {
                // Any filling that gives the text is right; those above are the only ones or the shortest.
                assert_eq!(got.len(), expected.len(), "{source} | {text}");
            }
            assert_eq!(got.is_some(), expected.is_some(), "{source} | {text}");
        }
        assert_eq!(values("{{1}} {{1}} {{1}}", "a b a b a b").unwrap(), ["a b"]);
    }

    #[test]
    fn the_work_is_bounded() {
        // Twelve parameters, each twice, over a text of one letter that ends in a wrong one: without a bound, 4,000^12.
        let source: String =
            (0..2).flat_map(|_| (1..=12).map(|n| format!("{{{{{n}}}}}"))).collect::<String>() + "b{{13}}";
        let text = "a".repeat(4_000) + "b";
        let pattern = Pattern::new(&source, ParameterFormat::Positional).unwrap();
        let mut walker = Walker::default();
        assert!(!walker.fits(&pattern, &source, &text));
        let source = source.replace("b{{13}}", "c{{13}}");
        let text = "a".repeat(3_999) + "bcb";
        let pattern = Pattern::new(&source, ParameterFormat::Positional).unwrap();
        assert!(!walker.fits(&pattern, &source, &text));
        assert_eq!(walker.left, 0, "the search was given up");
        // Literals that nearly fit everywhere, without repeats: linear.
        let source = format!("{{{{1}}}}{0}b{{{{2}}}}{0}b{{{{3}}}}", "a".repeat(300));
        assert_eq!(values(&source, &"a".repeat(4_096)), None);
    }

    /// Every filling there is, by trying: what the walk must agree with.
    fn by_trying(pieces: &[(String, usize)], text: &str, values: &mut Vec<Option<String>>) -> bool {
        let Some(((literal, slot), rest)) = pieces.split_first() else { return false };
        let Some(text) = text.strip_prefix(literal.as_str()) else { return false };
        if rest.is_empty() {
            return text.is_empty();
        }
        for (at, character) in text.char_indices() {
            let (value, behind) = text.split_at(at + character.len_utf8());
            let known = values[*slot].clone();
            if known.as_deref().is_some_and(|known| known != value) {
                continue;
            }
            values[*slot] = Some(value.to_owned());
            if by_trying(rest, behind, values) {
                return true;
            }
            values[*slot] = known;
        }
        false
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn it_finds_a_filling_exactly_where_there_is_one(
            literals in vec("[aé]{0,2}", 1..6), numbers in vec(1..4_usize, 5), text in "[aé]{0,9}",
        ) {
            let mut source = literals[0].clone();
            for (number, literal) in numbers.iter().zip(&literals[1..]) {
                source += &format!("{{{{{number}}}}}{literal}");
            }
            let pattern = Pattern::new(&source, ParameterFormat::Positional).unwrap();
            let pieces: Vec<_> = pattern.pieces.iter().enumerate()
                .map(|(index, piece)| (pattern.literal(&source, index).to_owned(), usize::from(piece.slot)))
                .collect();
            let mut walker = Walker::default();
            let fits = walker.fits(&pattern, &source, &text);
            prop_assert_eq!(fits, by_trying(&pieces, &text, &mut vec![None; 4]), "{} | {}", source, text);
            prop_assert!(!fits || consistent(&pattern, &walker.values, &source, &text));
        }
    }
}
