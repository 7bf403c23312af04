//! A text with parameters, cut into what stands fixed and the gaps between.

use super::model::ParameterFormat;
use std::ops::Range;

/// A body may have 1,024 characters, so at most 170 gaps. What has more is no template of Meta's, and is not matched.
const MOST_GAPS: usize = 256;

/// The parameters in a text, in order, with their places: `{{1}}`, `{{first_name}}`.
pub(super) fn gaps(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let open = at + memchr::memmem::find(bytes.get(at..)?, b"{{")?;
            let name = text.get(open + 2..)?;
            let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            if length > 0 && name.get(length..).is_some_and(|rest| rest.starts_with("}}")) {
                at = open + length + 4;
                return Some((open..at, name.get(..length)?));
            }
            at = open + 1;
        }
    })
}

/// The names of the parameters as values are given for them: positional ones by their number, named ones as they first
/// appear; each once.
pub(super) fn parameters(text: &str, format: ParameterFormat) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (_, name) in gaps(text) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if format == ParameterFormat::Positional {
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
    }
    names
}

/// Something fixed, and the parameter that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it lies in the text that was cut.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Which parameter follows, by its place in [`parameters`]; of the last piece none.
    pub(super) slot: u16,
}

/// The pieces of one text; it is kept elsewhere and handed in, so that a hundred thousand bodies are not kept twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) pieces: Box<[Piece]>,
    /// How many different parameters there are.
    pub(super) slots: u16,
    /// A parameter stands in more than one place.
    pub(super) repeated: bool,
    /// Characters that stand fixed.
    pub(super) characters: u32,
    /// The least bytes that a text of this pattern has.
    pub(super) shortest: u32,
}

impl Pattern {
    /// None: there are too many gaps, or the text is too long to be one of Meta's.
    pub(super) fn new(text: &str, format: ParameterFormat) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let names = parameters(text, format);
        let mut pieces = Vec::new();
        let (mut start, mut characters, mut fixed) = (0, 0, 0);
        for (gap, name) in gaps(text) {
            let slot = names.iter().position(|other| *other == name)?;
            pieces.push(Piece { start: start as u32, end: gap.start as u32, slot: slot as u16 });
            characters += text.get(start..gap.start)?.chars().count();
            fixed += gap.start - start;
            start = gap.end;
        }
        characters += text.get(start..)?.chars().count();
        fixed += text.len() - start;
        pieces.push(Piece { start: start as u32, end: text.len() as u32, slot: 0 });
        let gaps = pieces.len() - 1;
        (gaps <= MOST_GAPS).then(|| Self {
            pieces: pieces.into(),
            slots: names.len() as u16,
            repeated: names.len() < gaps,
            characters: characters as u32,
            shortest: (fixed + gaps) as u32,
        })
    }

    /// The fixed text of a piece.
    pub(super) fn literal<'a>(&self, source: &'a str, piece: usize) -> &'a str {
        self.pieces
            .get(piece)
            .and_then(|piece| source.get(piece.start as usize..piece.end as usize))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_in_their_order() {
        let positional = |text| parameters(text, ParameterFormat::Positional);
        assert_eq!(positional("{{2}} and {{1}} and {{2}} and {{10}}"), ["1", "2", "10"]);
        assert_eq!(parameters("{{b}} and {{a}} and {{b}}", ParameterFormat::Named), ["b", "a"]);
        for text in ["", "{{}}", "{{1}", "{1}}", "{{ 1 }}", "{{1.}}", "{{", "}}", "{{é}}"] {
            assert!(positional(text).is_empty(), "{text}");
        }
        assert_eq!(positional("{{{1}}}"), ["1"]);
        assert_eq!(positional("{{{{1}}{{2}}"), ["1", "2"]);
    }

    #[test]
    fn pieces_and_gaps_make_the_text() {
        let text = "Hi {{1}}, {{2}}!{{1}}";
        let pattern = Pattern::new(text, ParameterFormat::Positional).unwrap();
        let literals: Vec<_> = (0..pattern.pieces.len()).map(|piece| pattern.literal(text, piece)).collect();
        assert_eq!(literals, ["Hi ", ", ", "!", ""]);
        assert_eq!(pattern.pieces.iter().map(|piece| piece.slot).collect::<Vec<_>>(), [0, 1, 0, 0]);
        assert_eq!((pattern.slots, pattern.repeated, pattern.characters, pattern.shortest), (2, true, 6, 9));
        assert!(Pattern::new(&"{{1}}".repeat(257), ParameterFormat::Positional).is_none());
    }
}
