//! Reading JSON strictly: whatever is missing, misspelt or of the wrong type is refused with the place that it stands in, as
//! Meta writes places: `template['components'][0]['type']`.

use super::error::GraphError;
use serde_json::{Map, Value};
use std::fmt;

/// Where a value stands. Written out only for an error.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Top,
    Name(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Name(Self::Top, name) => f.write_str(name),
            Self::Name(parent, name) => write!(f, "{parent}['{name}']"),
            Self::Item(parent, number) => write!(f, "{parent}[{number}]"),
        }
    }
}

/// An object and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'p, 'v> {
    pub(crate) place: Place<'p>,
    map: &'v Map<String, Value>,
}

/// A required parameter that is not there.
pub(crate) fn missing(place: &Place<'_>) -> GraphError {
    GraphError::with(131_008, format!("The parameter {place} is required."))
}

/// A parameter of the wrong type, or that does not exist.
pub(crate) fn invalid(problem: impl fmt::Display) -> GraphError {
    GraphError::with(100, problem.to_string())
}

/// A parameter of the right type with an impossible value.
pub(crate) fn impossible(problem: impl fmt::Display) -> GraphError {
    GraphError::with(131_009, problem.to_string())
}

impl<'p, 'v> Object<'p, 'v> {
    /// The object at a place.
    pub(crate) fn read(value: &'v Value, place: Place<'p>) -> Result<Self, GraphError> {
        match value {
            Value::Object(map) => Ok(Self { place, map }),
            _ => Err(invalid(format!("Param {place} must be a JSON object."))),
        }
    }

    /// Refuses names that Meta does not know here.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), GraphError> {
        match self.map.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let place = if matches!(self.place, Place::Top) {
                    String::new()
                } else {
                    format!(" on param \"{}\"", self.place)
                };
                Err(invalid(format!("Unexpected key \"{name}\"{place}.")))
            }
        }
    }

    /// A value, where it is there and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&'v Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A value that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<&'v Value, GraphError> {
        self.get(name).ok_or_else(|| missing(&Place::Name(&self.place, name)))
    }

    /// A string, where it is there.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'v str>, GraphError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("Param {} must be a string.", Place::Name(&self.place, name)))),
        }
    }

    /// A string of at most so many characters, where it is there.
    pub(crate) fn short_text(&self, name: &str, most: usize) -> Result<Option<&'v str>, GraphError> {
        let text = self.text(name)?;
        // A character takes a byte at least, so that most texts need no counting.
        if text.is_some_and(|text| text.len() > most && text.chars().count() > most) {
            let place = Place::Name(&self.place, name);
            return Err(impossible(format!("Param {place} must be at most {most} characters long.")));
        }
        Ok(text)
    }

    /// A string that must be there and not empty, of at most so many characters.
    pub(crate) fn need_text(&self, name: &str, most: usize) -> Result<&'v str, GraphError> {
        let text = self.short_text(name, most)?.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| missing(&Place::Name(&self.place, name)))
    }

    /// True or false, where it is there.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, GraphError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(invalid(format!("Param {} must be a boolean.", Place::Name(&self.place, name)))),
        }
    }

    /// An object, where it is there.
    pub(crate) fn object<'b>(&'b self, name: &'b str) -> Result<Option<Object<'b, 'v>>, GraphError> {
        self.get(name).map(|value| Object::read(value, Place::Name(&self.place, name))).transpose()
    }

    /// An object that must be there.
    pub(crate) fn need_object<'b>(&'b self, name: &'b str) -> Result<Object<'b, 'v>, GraphError> {
        Object::read(self.need(name)?, Place::Name(&self.place, name))
    }

    /// A list of objects, empty where it is not there.
    pub(crate) fn list<'b>(&'b self, name: &'b str) -> Result<List<'b, 'v>, GraphError> {
        let items = match self.get(name) {
            None => [].as_slice(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(invalid(format!("Param {} must be an array.", Place::Name(&self.place, name)))),
        };
        Ok(List { place: Place::Name(&self.place, name), items })
    }
}

/// A list and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'p, 'v> {
    pub(crate) place: Place<'p>,
    pub(crate) items: &'v [Value],
}

impl<'p, 'v> List<'p, 'v> {
    /// Its objects, each with its place.
    pub(crate) fn objects<'b>(&'b self) -> impl Iterator<Item = Result<Object<'b, 'v>, GraphError>> + use<'b, 'p, 'v> {
        self.items.iter().enumerate().map(|(number, item)| Object::read(item, Place::Item(&self.place, number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_name_the_place() {
        let value = json!({"template": {"components": [{"type": 1}, 2], "name": "x"}});
        let top = Object::read(&value, Place::Top).unwrap();
        let template = top.need_object("template").unwrap();
        let list = template.list("components").unwrap();
        let mut objects = list.objects();
        let details = |error: GraphError| (error.code, error.details.unwrap().into_owned());
        let first = objects.next().unwrap().unwrap();
        assert_eq!(
            details(first.text("type").unwrap_err()),
            (100, "Param template['components'][0]['type'] must be a string.".to_owned())
        );
        assert_eq!(
            details(objects.next().unwrap().unwrap_err()).1,
            "Param template['components'][1] must be a JSON object."
        );
        assert_eq!(details(template.need("language").unwrap_err()).0, 131_008);
        assert_eq!(
            details(template.only(&["name"]).unwrap_err()).1,
            "Unexpected key \"components\" on param \"template\"."
        );
        assert_eq!(template.need_text("name", 0).unwrap_err().code, 131_009);
    }
}
