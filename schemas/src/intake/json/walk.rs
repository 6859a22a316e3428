//! The objects and arrays of a record, name by name.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Reader, Within};
use crate::intake::name::{child, stray};
use crate::plan::tree::Shape;

/// The object of a segment or group entry, or of the record.
pub(super) struct Inside<'r, 'e> {
    pub(super) reader: &'r mut Reader<'e>,
    pub(super) node: u16,
}

/// The array of a group.
struct Entries<'r, 'e> {
    reader: &'r mut Reader<'e>,
    group: u16,
}

/// A name, as the child that it stands for.
struct Name<'r, 'e> {
    reader: &'r mut Reader<'e>,
    node: u16,
    hint: &'r mut usize,
}

macro_rules! anything_else_is_misplaced {
    ($self:ident.$node:ident) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }

        fn visit_unit<E>($self) -> Result<(), E> {
            Ok(())
        }

        fn visit_bool<E>($self, _: bool) -> Result<(), E> {
            $self.reader.nesting($self.$node);
            Ok(())
        }

        fn visit_i64<E>($self, _: i64) -> Result<(), E> {
            $self.reader.nesting($self.$node);
            Ok(())
        }

        fn visit_u64<E>($self, _: u64) -> Result<(), E> {
            $self.reader.nesting($self.$node);
            Ok(())
        }

        fn visit_f64<E>($self, _: f64) -> Result<(), E> {
            $self.reader.nesting($self.$node);
            Ok(())
        }

        fn visit_str<E>($self, text: &str) -> Result<(), E> {
            if !text.trim_ascii().is_empty() {
                $self.reader.nesting($self.$node);
            }
            Ok(())
        }
    };
}

impl<'de> DeserializeSeed<'de> for Inside<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_, '_> {
    type Value = ();

    anything_else_is_misplaced!(self.node);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (reader, node) = (self.reader, self.node);
        let mut hint = 0;
        let mut seen = Vec::new();
        while let Some(found) = map.next_key_seed(Name {
            reader,
            node,
            hint: &mut hint,
        })? {
            let Some(child) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let shape = &reader.plan.nodes[child as usize].shape;
            if !matches!(shape, Shape::Item(_)) {
                if seen.contains(&child) {
                    reader.repeated(child);
                }
                seen.push(child);
            }
            match shape {
                Shape::Item(_) => reader.item(child, map.next_value::<&RawValue>()?.get()),
                Shape::Segment(_) => map.next_value_seed(Inside {
                    reader,
                    node: child,
                })?,
                Shape::Group(_) => map.next_value_seed(Entries {
                    reader,
                    group: child,
                })?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.reader.nesting(self.node);
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    anything_else_is_misplaced!(self.group);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.reader.nesting(self.group);
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let (reader, group) = (self.reader, self.group);
        for ordinal in 1.. {
            reader.within.push(Within {
                group,
                ordinal,
                place: None,
            });
            let more = seq.next_element_seed(Inside {
                reader,
                node: group,
            })?;
            reader.within.pop();
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Option<u16>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Option<u16>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<u16>, E> {
        let reader = self.reader;
        let found = child(reader.plan, self.node, name, self.hint);
        if found.is_none() {
            let place = ("对象中的一个名称", "a name in the object");
            let mut finding = stray(reader.edition, reader.plan, self.node, name, place);
            finding.path = reader.path(self.node);
            reader.findings.push(finding);
        }
        Ok(found)
    }
}
