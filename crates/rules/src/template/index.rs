//! The templates of a channel, so kept that the one that a text is comes out in the same time however many there are.

use super::{
    anchors::{Anchors, AsIs},
    fold::{Folded, fold},
    message::Parameter,
    model::{Header, ParameterFormat, Template, TemplateStatus},
    pattern::{Pattern, parameters},
    rendering::{Fit, FoldedTexts, Patterns, Texts, fit, most_characters},
    walk::Walker,
    words,
};
use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    hash::BuildHasherDefault,
    sync::Arc,
};

/// What a text is.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// One template.
    Match(Match),
    /// Several, and nothing says which.
    Tie(Vec<Arc<Template>>),
    /// No template.
    None,
}

/// A text as a template with values.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Which.
    pub template: Arc<Template>,
    /// The value of the header's parameter, where the text has the header.
    pub header: Option<String>,
    /// The values of the body's parameters, as the text has them: by number, named ones as they first appear.
    pub body: Vec<Parameter>,
    /// The texts are equal only after blanks, line ends, quotes, dashes, invisible marks and Unicode's form are made the same.
    pub normalised: bool,
    /// How many characters of the text stand fixed in the template.
    pub literal_characters: usize,
}

/// A template that can be matched, or several that are the same but for name and language.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) template: Arc<Template>,
    /// Others with the same texts and the same rank.
    equals: Vec<Arc<Template>>,
    patterns: Patterns,
    folded: Option<Box<(FoldedTexts, Patterns)>>,
    /// The most fixed characters that a text of it can have.
    most: u32,
    rank: Rank,
}

/// What decides between templates with as many fixed characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// 2: the channel's language; 1: the same language of another country; 0: another.
    language: u8,
    /// Meta numbers templates in the order in which they are made.
    id: u128,
}

impl Rank {
    fn of(template: &Template, language: Option<&str>) -> Self {
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
    pub(super) fn folded(&self) -> (Texts<'_>, &Patterns) {
        match &self.folded {
            Some(folded) => (folded.0.texts(), &folded.1),
            None => (Texts::of(&self.template), &self.patterns),
        }
    }

    fn fit(&self, text: &str, folded: bool, walker: &mut Walker) -> Option<Fit> {
        let (texts, patterns) = if folded { self.folded() } else { (Texts::of(&self.template), &self.patterns) };
        fit(texts, patterns, &self.template.buttons, text, walker)
    }
}

/// The templates of a channel.
#[derive(Debug)]
pub struct Index {
    /// All, by name, then language.
    all: Vec<Arc<Template>>,
    /// What is matched: what can have the most fixed characters first, among those the higher rank.
    pub(super) entries: Vec<Entry>,
    anchors: Anchors,
    language: Option<String>,
}

fn patterns(texts: Texts<'_>, format: ParameterFormat) -> Option<Patterns> {
    let header = match texts.header {
        Some(header) => Some(Pattern::new(header, format)?),
        None => None,
    };
    Some(Patterns { body: Pattern::new(texts.body, format)?, header })
}

impl Index {
    /// Takes all templates. Those that are approved and can be filled from a text are matched; `language` is the one that
    /// the channel prefers.
    pub fn build(mut templates: Vec<Arc<Template>>, language: Option<&str>) -> Self {
        templates.sort_by(|a, b| (&a.name, &a.language, &a.id).cmp(&(&b.name, &b.language, &b.id)));
        let mut entries: Vec<Entry> = Vec::with_capacity(templates.len());
        let mut same: HashMap<u64, usize, BuildHasherDefault<AsIs>> = HashMap::default();
        for template in &templates {
            if template.status != TemplateStatus::Approved
                || !template.unsupported.is_empty()
                || template.body.trim().is_empty()
            {
                continue;
            }
            let rank = Rank::of(template, language);
            let slot = match same.entry(words::hash(template.body.as_bytes())) {
                Slot::Occupied(slot) => {
                    let known = entries.get_mut(*slot.get());
                    if let Some(known) = known.filter(|known| is_same(&known.template, template)) {
                        known.meet(template, rank);
                        continue;
                    }
                    None
                }
                Slot::Vacant(slot) => Some(slot),
            };
            let texts = Texts::of(template);
            let Some(own) = patterns(texts, template.format) else { continue };
            let folded = match texts.folded() {
                None => None,
                Some(folded) => match patterns(folded.texts(), template.format) {
                    Some(patterns) => Some(Box::new((folded, patterns))),
                    None => continue,
                },
            };
            let most = most_characters(texts, &own, &template.buttons).max(
                folded.as_ref().map_or(0, |folded| most_characters(folded.0.texts(), &folded.1, &template.buttons)),
            );
            if let Some(slot) = slot {
                slot.insert(entries.len());
            }
            entries.push(Entry {
                template: Arc::clone(template),
                equals: Vec::new(),
                patterns: own,
                folded,
                most,
                rank,
            });
        }
        entries.sort_by(|a, b| b.most.cmp(&a.most).then(b.rank.cmp(&a.rank)));
        let anchors = Anchors::build(entries.len(), |entry, pairs, singles| match entries.get(entry as usize) {
            Some(entry) => {
                let (texts, patterns) = entry.folded();
                words::certain(&patterns.body, texts.body, pairs, singles);
            }
            None => {
                pairs.clear();
                singles.clear();
            }
        });
        Self { all: templates, entries, anchors, language: language.map(str::to_owned) }
    }

    /// The template that a text is.
    pub fn find(&self, text: &str) -> Found {
        let folded = fold(text);
        let keys = words::keys(&folded.text);
        let candidates = self.anchors.candidates(&keys);
        let mut walker = Walker::default();
        match self.best(&candidates, text, None, &mut walker) {
            Found::None => self.best(&candidates, &folded.text, Some(&folded), &mut walker),
            found => found,
        }
    }

    fn best(&self, candidates: &[u32], text: &str, folded: Option<&Folded<'_>>, walker: &mut Walker) -> Found {
        let mut best: Vec<(&Entry, Match)> = Vec::new();
        for candidate in candidates {
            let Some(entry) = self.entries.get(*candidate as usize) else { continue };
            if folded.is_some_and(Folded::is_original) && entry.folded.is_none() {
                // Both are as they were when they did not fit.
                continue;
            }
            let most = best.first().map_or(0, |(_, best)| best.literal_characters);
            // They come in the order of what they can reach at most.
            if !best.is_empty() && (entry.most as usize) < most {
                break;
            }
            let Some(fit) = entry.fit(text, folded.is_some(), walker) else { continue };
            if let Some((leader, _)) = best.first() {
                match (fit.characters as usize, entry.rank).cmp(&(most, leader.rank)) {
                    std::cmp::Ordering::Less => continue,
                    std::cmp::Ordering::Equal => {}
                    std::cmp::Ordering::Greater => best.clear(),
                }
            }
            if let Some(found) = found(entry, &fit, text, folded) {
                best.push((entry, found));
            }
        }
        if best.len() > 1 || best.first().is_some_and(|(entry, _)| !entry.equals.is_empty()) {
            let all = best.iter().flat_map(|(entry, _)| std::iter::once(&entry.template).chain(&entry.equals));
            return Found::Tie(all.cloned().collect());
        }
        best.pop().map_or(Found::None, |(_, found)| Found::Match(found))
    }

    /// How many templates there are, matched or not.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All templates, by name, then language.
    pub fn templates(&self) -> &[Arc<Template>] {
        &self.all
    }

    /// The language that the channel prefers.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }
}

impl Entry {
    /// Another template with the same texts: the one of the higher rank stays.
    fn meet(&mut self, template: &Arc<Template>, rank: Rank) {
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
}

/// They match the same texts in the same way.
fn is_same(a: &Template, b: &Template) -> bool {
    let header = |template: &Template| match &template.header {
        Some(Header::Text(text)) => Some(text.clone()),
        _ => None,
    };
    a.format == b.format && a.body == b.body && a.footer == b.footer && a.buttons == b.buttons && header(a) == header(b)
}

/// Takes the values from the text as it was given.
fn found(entry: &Entry, fit: &Fit, text: &str, folded: Option<&Folded<'_>>) -> Option<Match> {
    let template = &entry.template;
    let value = |range: &std::ops::Range<usize>| match folded {
        Some(folded) => folded.original(range.clone()),
        None => text.get(range.clone()),
    };
    let names = parameters(&template.body, template.format);
    let mut body = Vec::with_capacity(names.len());
    for (name, range) in names.into_iter().zip(&fit.body) {
        let name = (template.format == ParameterFormat::Named).then(|| name.to_owned());
        body.push(Parameter { name, text: value(range)?.to_owned() });
    }
    let header = match &fit.header {
        Some(range) => Some(value(range)?.to_owned()),
        None => None,
    };
    Some(Match {
        template: Arc::clone(template),
        header,
        body,
        normalised: folded.is_some(),
        literal_characters: fit.characters as usize,
    })
}
