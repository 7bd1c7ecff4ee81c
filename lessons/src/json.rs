//! From JSON to our own types, in little code.
//!
//! What serde derives is made once for each kind of input, with all that this input can do. The page has
//! one kind only: a tree of values. A struct is read from an object and from nothing else, so that half
//! of what is derived is never needed. That is a hundred kilobytes of WebAssembly.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor,
    },
};
use serde_json::{Error, Map, Value, map};

/// Reads a value from JSON.
///
/// # Errors
/// The text is no JSON, or not what `T` wants. Natively the error also says the line and the column.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let tree: Value = serde_json::from_str(text)?;
    T::deserialize(Tree(tree)).or_else(|error| with_place(text, error))
}

/// The same error, with its place.
#[cfg(not(target_arch = "wasm32"))]
fn with_place<T: DeserializeOwned>(text: &str, error: Error) -> Result<T, Error> {
    match serde_json::from_str::<T>(text) {
        Ok(_) => Err(error),
        Err(placed) => Err(placed),
    }
}

#[cfg(target_arch = "wasm32")]
fn with_place<T>(_: &str, error: Error) -> Result<T, Error> {
    Err(error)
}

/// A tree of values, to be read.
struct Tree(Value);

impl Tree {
    #[inline(never)]
    fn wrong(self, wanted: &str) -> Error {
        let found = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(b) => Unexpected::Bool(*b),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(s) => Unexpected::Str(s),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Error::custom(format_args!("invalid type: {found}, expected {wanted}"))
    }
}

/// Numbers by the one way that suits their sign.
macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match &self.0 {
                Value::Number(n) => match (n.as_u64(), n.as_i64()) {
                    (Some(n), _) => visitor.visit_u64(n),
                    (None, Some(n)) => visitor.visit_i64(n),
                    (None, None) => Err(self.wrong("a whole number")),
                },
                _ => Err(self.wrong("a number")),
            }
        })*
    };
}

macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match &self.0 {
                Value::String(text) => visitor.visit_str(text),
                _ => Err(self.wrong("a text")),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }
    texts! { deserialize_str deserialize_string deserialize_identifier deserialize_char }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(b),
            Value::Number(ref n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
                (Some(n), ..) => visitor.visit_u64(n),
                (None, Some(n), _) => visitor.visit_i64(n),
                (None, None, Some(n)) => visitor.visit_f64(n),
                (None, None, None) => Err(self.wrong("a number")),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(list) => visitor.visit_seq(List(list.into_iter())),
            Value::Object(fields) => visitor.visit_map(Fields::new(fields)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Bool(b) => visitor.visit_bool(b),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            _ => Err(self.wrong("null")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(list) => {
                let mut list = List(list.into_iter());
                let out = visitor.visit_seq(&mut list)?;
                match list.0.len() {
                    0 => Ok(out),
                    more => Err(Error::custom(format_args!("{more} values too many"))),
                }
            }
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(Fields::new(fields)),
            _ => Err(self.wrong("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(tag) => visitor.visit_enum(Variant { tag, body: None }),
            Value::Object(fields) if fields.len() == 1 => match fields.into_iter().next() {
                Some((tag, body)) => visitor.visit_enum(Variant {
                    tag,
                    body: Some(body),
                }),
                None => Err(Error::custom("an object without a field")),
            },
            _ => Err(self.wrong("a name, or an object with one field")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

struct List(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for List {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|v| seed.deserialize(Tree(v))).transpose()
    }
}

struct Fields {
    rest: map::IntoIter,
    value: Option<Value>,
}

impl Fields {
    fn new(fields: Map<String, Value>) -> Fields {
        Fields {
            rest: fields.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Tree(self.value.take().unwrap_or_default()))
    }
}

/// The name of a field; or a number, which JSON can write as a name only.
struct Key(String);

impl<'de> Deserializer<'de> for Key {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.0)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.parse() {
            Ok(n) => visitor.visit_i64(n),
            Err(_) => Err(Tree(Value::String(self.0)).wrong("a number")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Variant {
    tag: String,
    body: Option<Value>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Body;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Body), Error> {
        let tag = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(&*self.tag))?;
        Ok((tag, Body(self.body)))
    }
}

struct Body(Option<Value>);

impl Body {
    fn tree(self) -> Result<Tree, Error> {
        self.0
            .map(Tree)
            .ok_or_else(|| Error::custom("the name alone is not enough: its contents are missing"))
    }
}

impl<'de> VariantAccess<'de> for Body {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(body) => Err(Tree(body).wrong("the name alone")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.tree()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.tree()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.tree()?.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Data;
    use zabscope_core::sim::Setup;

    #[test]
    fn every_lesson_reads_the_same_as_by_serde_json_itself() {
        for lesson in crate::EMBEDDED {
            let tree: Value = serde_json::from_str(lesson.json).expect(lesson.name);
            let ours = Data::deserialize_from(tree);
            let theirs: Data = serde_json::from_str(lesson.json).expect(lesson.name);
            let written = |data: &Data| format!("{data:?}");
            assert_eq!(
                written(&ours.expect(lesson.name)),
                written(&theirs),
                "{}",
                lesson.name
            );
        }
    }

    trait From: Sized {
        fn deserialize_from(tree: Value) -> Result<Self, Error>;
    }

    impl<T: DeserializeOwned> From for T {
        fn deserialize_from(tree: Value) -> Result<T, Error> {
            T::deserialize(Tree(tree))
        }
    }

    #[test]
    fn a_setup_with_numbers_as_names_reads_the_same() {
        let text =
            r#"{"voters":3,"rule":{"Groups":{"group":{"1":1,"2":1,"3":2},"weight":{"3":0}}}}"#;
        let theirs: Setup = serde_json::from_str(text).expect("a setup");
        assert_eq!(from_json::<Setup>(text).expect("a setup"), theirs);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("{", "EOF"),
            (r#"{"voters":"five"}"#, "invalid type: string \"five\""),
            (r#"{"voters":500}"#, "500"),
            (r#"{"colour":1}"#, "unknown field `colour`"),
            (r#"{"rule":{"Majority":1}}"#, "expected"),
            (r#"[1]"#, "expected"),
        ] {
            let tree: Result<Value, Error> = serde_json::from_str(text);
            let said = match tree.and_then(Setup::deserialize_from) {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            };
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
