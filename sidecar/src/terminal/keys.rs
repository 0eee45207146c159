//! What a terminal sends when keys are pressed, in xterm's way.

/// The bytes of a key named as in Zellij's configuration, none if there is no such key.
pub(super) fn key_bytes(key: &str) -> Option<Vec<u8>> {
    let mut words = key.split(' ').filter(|word| !word.is_empty()).peekable();
    let (mut shift, mut alt, mut ctrl) = (false, false, false);
    let base = loop {
        let word = words.next()?;
        if words.peek().is_none() {
            break word;
        }
        match word {
            "Shift" => shift = true,
            "Alt" => alt = true,
            "Ctrl" => ctrl = true,
            _ => return None,
        }
    };
    let modifiers = 1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);
    let letter = |final_byte: char| match modifiers {
        1 => format!("\x1b[{final_byte}"),
        n => format!("\x1b[1;{n}{final_byte}"),
    };
    let number = |code: u8| match modifiers {
        1 => format!("\x1b[{code}~"),
        n => format!("\x1b[{code};{n}~"),
    };
    let function = |final_byte: char| match modifiers {
        1 => format!("\x1bO{final_byte}"),
        n => format!("\x1b[1;{n}{final_byte}"),
    };
    let with_alt = |text: &str| format!("{}{text}", if alt { "\x1b" } else { "" });
    let mut characters = base.chars();
    let text = match base {
        "Enter" => with_alt("\r"),
        "Tab" if shift => with_alt("\x1b[Z"),
        "Tab" => with_alt("\t"),
        "Esc" => with_alt("\x1b"),
        "Space" if ctrl => with_alt("\0"),
        "Space" => with_alt(" "),
        "Backspace" => with_alt(if ctrl { "\x08" } else { "\x7f" }),
        "Up" => letter('A'),
        "Down" => letter('B'),
        "Right" => letter('C'),
        "Left" => letter('D'),
        "End" => letter('F'),
        "Home" => letter('H'),
        "Insert" => number(2),
        "Delete" => number(3),
        "PageUp" => number(5),
        "PageDown" => number(6),
        "F1" => function('P'),
        "F2" => function('Q'),
        "F3" => function('R'),
        "F4" => function('S'),
        "F5" => number(15),
        "F6" => number(17),
        "F7" => number(18),
        "F8" => number(19),
        "F9" => number(20),
        "F10" => number(21),
        "F11" => number(23),
        "F12" => number(24),
        _ => match (characters.next()?, characters.next()) {
            (c, None) if ctrl => {
                let c = c.to_ascii_uppercase();
                if !('@'..='_').contains(&c) {
                    return None;
                }
                with_alt(&char::from(c as u8 & 0x1f).to_string())
            }
            (c, None) if shift => with_alt(&c.to_uppercase().to_string()),
            (c, None) => with_alt(&c.to_string()),
            _ => return None,
        },
    };
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_the_bytes_that_xterm_sends() {
        let bytes = |key| key_bytes(key).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(bytes("Enter").unwrap(), "\r");
        assert_eq!(bytes("Ctrl d").unwrap(), "\x04");
        assert_eq!(bytes("Ctrl \\").unwrap(), "\x1c");
        assert_eq!(bytes("Alt n").unwrap(), "\x1bn");
        assert_eq!(bytes("Shift Left").unwrap(), "\x1b[1;2D");
        assert_eq!(bytes("Ctrl Shift End").unwrap(), "\x1b[1;6F");
        assert_eq!(bytes("PageUp").unwrap(), "\x1b[5~");
        assert_eq!(bytes("日").unwrap(), "日");
        assert_eq!(bytes("Hyper x"), None);
        assert_eq!(bytes("Nonsense"), None);
        assert_eq!(bytes(""), None);
    }
}
