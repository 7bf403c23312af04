//! A template made ready to be matched.

use super::{
    anchors::Signs,
    fold::Folded,
    message::Parameter,
    model::{Header, ParameterFormat, Template},
    pattern::{Pattern, parameters},
    rendering::{Fit, FoldedTexts, Patterns, Texts, fit, most_characters},
    signature::Signature,
    walk::Walker,
    words,
};
use std::sync::Arc;

/// What a text is as a template: its values as they stand in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    pub(super) header: Option<String>,
    pub(super) body: Vec<Parameter>,
}

/// A template that can be matched, or several that are the same but for name and language.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) template: Arc<Template>,
    /// Others with the same texts and the same rank.
    pub(super) equals: Vec<Arc<Template>>,
    patterns: Patterns,
    folded: Option<Box<(FoldedTexts, Patterns)>>,
    /// The most fixed characters that a text of it can have.
    pub(super) most: u32,
    pub(super) rank: Rank,
    /// No header's text, footer or buttons: a text of it is its body.
    bare: bool,
}

/// What decides between templates with as many fixed characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// 2: the channel's language; 1: the same language of another country; 0: another.
    language: u8,
    /// Meta numbers templates in the order in which they are made.
    id: u64,
}

impl Rank {
    pub(super) fn of(template: &Template, language: Option<&str>) -> Self {
        let base = |language: &str| language.split(['_', '-']).next().unwrap_or_default().to_ascii_lowercase();
        let language = match language {
            Some(language) if language.eq_ignore_ascii_case(&template.language) => 2,
            Some(language) if base(language) == base(&template.language) => 1,
            _ => 0,
        };
        Self { language, id: template.id.parse().unwrap_or(0) }
    }
}

impl Entry {
    /// None: it has no text, or more parameters than Meta allows.
    pub(super) fn new(template: &Arc<Template>, rank: Rank) -> Option<Self> {
        if template.body.trim().is_empty() {
            return None;
        }
        let texts = Texts::of(template);
        let own = patterns(texts, template.format)?;
        let mut most = most_characters(texts, &own, &template.buttons);
        let folded = match texts.folded() {
            None => None,
            Some(folded) => {
                let patterns = patterns(folded.texts(), template.format)?;
                most = most.max(most_characters(folded.texts(), &patterns, &template.buttons));
                Some(Box::new((folded, patterns)))
            }
        };
        let bare = texts.header.is_none() && texts.footer.is_none() && template.buttons.is_empty();
        Some(Self { template: Arc::clone(template), equals: Vec::new(), patterns: own, folded, most, rank, bare })
    }

    /// The words of its body.
    pub(super) fn signature(&self) -> Signature {
        let mut signature = Signature::EMPTY;
        let (texts, patterns) = self.folded();
        for index in 0..patterns.body.pieces.len() {
            signature.add(patterns.body.literal(texts.body, index));
        }
        signature
    }

    /// The signs that each of its texts has, as it stands or folded.
    pub(super) fn signs(&self) -> Signs {
        let of = |texts: Texts<'_>, patterns: &Patterns| {
            let mut signs = Signs::default();
            (0..patterns.body.pieces.len()).for_each(|index| signs.add(patterns.body.literal(texts.body, index)));
            signs
        };
        let (texts, patterns) = self.folded();
        of(Texts::of(&self.template), &self.patterns).and(of(texts, patterns))
    }

    /// Its texts and patterns in the folded form.
    pub(super) fn folded(&self) -> (Texts<'_>, &Patterns) {
        match &self.folded {
            Some(folded) => (folded.0.texts(), &folded.1),
            None => (Texts::of(&self.template), &self.patterns),
        }
    }

    /// The folded form is the template's own.
    pub(super) fn is_folded(&self) -> bool {
        self.folded.is_none()
    }

    /// Whether a text is this template: as it stands, or in its folded form.
    pub(super) fn fit(&self, text: &str, folded: bool, walker: &mut Walker) -> Option<Fit> {
        if self.bare && self.folded.is_none() {
            // The usual case, without a look at more of the template than its body.
            let body = &self.patterns.body;
            return walker.fits(body, &self.template.body, text).then(|| Fit {
                characters: body.characters,
                header: None,
                body: walker.values.clone(),
            });
        }
        let (texts, patterns) = if folded { self.folded() } else { (Texts::of(&self.template), &self.patterns) };
        fit(texts, patterns, &self.template.buttons, text, walker)
    }

    /// The keys that each of its texts has.
    pub(super) fn keys(&self, pairs: &mut Vec<u64>, singles: &mut Vec<u64>) {
        let (texts, patterns) = self.folded();
        words::certain(&patterns.body, texts.body, pairs, singles);
    }

    /// It matches the same texts in the same way as another template.
    pub(super) fn is_same(&self, other: &Template) -> bool {
        fn header(template: &Template) -> Option<&str> {
            match &template.header {
                Some(Header::Text(text)) => Some(text),
                _ => None,
            }
        }
        let own = &*self.template;
        own.format == other.format
            && own.body == other.body
            && own.footer == other.footer
            && own.buttons == other.buttons
            && header(own) == header(other)
    }

    /// Another template that is the same: the one of the higher rank stays.
    pub(super) fn meet(&mut self, template: &Arc<Template>, rank: Rank) {
        match rank.cmp(&self.rank) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => self.equals.push(Arc::clone(template)),
            std::cmp::Ordering::Greater => {
                self.template = Arc::clone(template);
                self.equals.clear();
                self.rank = rank;
            }
        }
    }

    /// Takes the values from the text as it was given. None: a value would begin or end within one of its characters.
    pub(super) fn values(&self, fit: &Fit, text: &str, folded: Option<&Folded<'_>>) -> Option<Values> {
        let value = |range: &std::ops::Range<usize>| match folded {
            Some(folded) => folded.original(range.clone()),
            None => text.get(range.clone()),
        };
        let mut body = Vec::with_capacity(fit.body.len());
        for range in &fit.body {
            body.push(Parameter { name: None, text: value(range)?.to_owned() });
        }
        if self.template.format == ParameterFormat::Named {
            let names = parameters(&self.template.body, self.template.format);
            body.iter_mut().zip(names).for_each(|(value, name)| value.name = Some(name.to_owned()));
        }
        let header = match &fit.header {
            Some(range) => Some(value(range)?.to_owned()),
            None => None,
        };
        Some(Values { header, body })
    }
}

fn patterns(texts: Texts<'_>, format: ParameterFormat) -> Option<Patterns> {
    let header = match texts.header {
        Some(header) => Some(Box::new(Pattern::new(header, format)?)),
        None => None,
    };
    Some(Patterns { body: Pattern::new(texts.body, format)?, header })
}
