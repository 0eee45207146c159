//! Patterns for replies: JSON that names what must be there and leaves open what need not.
//!
//! An object matches when every field that it names matches; other fields do not matter. An array matches element by
//! element. Everything else matches what is equal. An object with one field that begins with `$` asks more:
//!
//! | pattern | matches |
//! | --- | --- |
//! | `{"$type": "string"}` | any string; also `number`, `boolean`, `array`, `object`, `null` |
//! | `{"$contains": x}` | a string with the text x in it, an array with an element that matches x |
//! | `{"$at_least": n}`, `{"$at_most": n}` | a number |
//! | `{"$length": n}` | an array, object or string of that length |
//! | `{"$one_of": [x, y]}` | what matches one of them |
//! | `{"$not": x}` | what does not match x |
//! | `{"$absent": true}` | a field that is not there, or null |

use serde_json::Value;

/// Checks `value` against `pattern`.
///
/// # Errors
/// Where they differ, and how, in one line.
pub fn check(pattern: &Value, value: &Value) -> Result<(), String> {
    check_at("", pattern, value)
}

fn check_at(path: &str, pattern: &Value, value: &Value) -> Result<(), String> {
    let place = if path.is_empty() { "the reply" } else { path };
    if let Some((operator, operand)) = operator(pattern) {
        return if holds(operator, operand, value) {
            Ok(())
        } else {
            Err(format!("{place}: {value} is not {operator} {operand}"))
        };
    }
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(fields)) => {
            pattern.iter().try_for_each(|(name, wanted)| {
                let found = fields.get(name).unwrap_or(&Value::Null);
                check_at(&format!("{path}/{name}"), wanted, found)
            })
        }
        (Value::Array(pattern), Value::Array(elements)) if pattern.len() == elements.len() => {
            pattern
                .iter()
                .zip(elements)
                .enumerate()
                .try_for_each(|(index, (wanted, found))| {
                    check_at(&format!("{path}/{index}"), wanted, found)
                })
        }
        _ if pattern == value => Ok(()),
        _ => Err(format!("{place}: expected {pattern}, got {value}")),
    }
}

fn operator(pattern: &Value) -> Option<(&str, &Value)> {
    let fields = pattern.as_object().filter(|fields| fields.len() == 1)?;
    let (name, operand) = fields.iter().next()?;
    name.starts_with('$').then_some((name.as_str(), operand))
}

fn holds(operator: &str, operand: &Value, value: &Value) -> bool {
    match operator {
        "$type" => operand == kind(value),
        "$contains" => match value {
            Value::String(text) => operand.as_str().is_some_and(|part| text.contains(part)),
            Value::Array(elements) => elements.iter().any(|e| check(operand, e).is_ok()),
            _ => false,
        },
        "$at_least" => matches!((value.as_f64(), operand.as_f64()), (Some(v), Some(o)) if v >= o),
        "$at_most" => matches!((value.as_f64(), operand.as_f64()), (Some(v), Some(o)) if v <= o),
        "$length" => {
            let length = match value {
                Value::String(text) => text.chars().count(),
                Value::Array(elements) => elements.len(),
                Value::Object(fields) => fields.len(),
                _ => return false,
            };
            operand.as_u64() == Some(length as u64)
        }
        "$one_of" => operand
            .as_array()
            .is_some_and(|choices| choices.iter().any(|choice| check(choice, value).is_ok())),
        "$not" => check(operand, value).is_err(),
        "$absent" => value.is_null() == (operand == &Value::Bool(true)),
        _ => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_are_not_named_do_not_matter() {
        let reply = json!({"a": 1, "b": {"c": [1, "x"]}, "d": null});
        assert_eq!(check(&json!({"b": {"c": [1, "x"]}}), &reply), Ok(()));
        assert_eq!(
            check(&json!({"b": {"c": [1, "y"]}}), &reply),
            Err("/b/c/1: expected \"y\", got \"x\"".to_owned())
        );
        assert!(check(&json!({"b": {"c": [1]}}), &reply).is_err());
        assert!(check(&json!({"e": 1}), &reply).is_err());
    }

    #[test]
    fn operators_ask_for_more_than_equality() {
        for (pattern, matching, other) in [
            (json!({"$type": "string"}), json!("x"), json!(1)),
            (json!({"$contains": "ell"}), json!("hello"), json!("world")),
            (
                json!({"$contains": {"a": 1}}),
                json!([{"a": 1, "b": 2}]),
                json!([{"a": 2}]),
            ),
            (json!({"$at_least": 2}), json!(2.5), json!(1)),
            (json!({"$at_most": 2}), json!(2), json!(3)),
            (json!({"$length": 2}), json!([1, 2]), json!([1])),
            (json!({"$one_of": [1, "a"]}), json!("a"), json!("b")),
            (json!({"$not": {"$type": "null"}}), json!(1), json!(null)),
            (json!({"$absent": true}), json!(null), json!(0)),
        ] {
            assert_eq!(check(&pattern, &matching), Ok(()), "{pattern}");
            assert!(check(&pattern, &other).is_err(), "{pattern}");
        }
        assert!(check(&json!({"$misspelt": 1}), &json!(1)).is_err());
        assert!(check(&json!({"a": {"$absent": true}}), &json!({})).is_ok());
    }
}
