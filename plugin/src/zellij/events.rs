//! Zellij's events as the panes see them. What is unknown is none, never a panic.

use ratatui_core::style::Color;
use stui_plugin::io::Mouse;
use stui_plugin::key::{Code, Key};
use stui_plugin::theme::{Theme, ZellijColors};

use super::api;
use api::event::mouse_event_payload::MouseEventPayload as MousePlace;
use api::event::{MouseEventName, MouseEventPayload};
use api::key::key::{KeyModifier, MainKey, NamedKey};
use api::style::{ColorType, Styling, color};

/// A key as the panes see it; none for keys that they have no use for.
pub(super) fn read_key(key: &api::key::Key) -> Option<Key> {
    let code = match key.main_key.as_ref()? {
        // the whole code point, although the field is named after an enumeration
        MainKey::Char(code) => Code::Char(char::from_u32(u32::try_from(*code).ok()?)?),
        MainKey::Key(named) => match NamedKey::try_from(*named).ok()? {
            NamedKey::PageDown => Code::PageDown,
            NamedKey::PageUp => Code::PageUp,
            NamedKey::LeftArrow => Code::Left,
            NamedKey::DownArrow => Code::Down,
            NamedKey::UpArrow => Code::Up,
            NamedKey::RightArrow => Code::Right,
            NamedKey::Home => Code::Home,
            NamedKey::End => Code::End,
            NamedKey::Backspace => Code::Backspace,
            NamedKey::Delete => Code::Delete,
            NamedKey::Insert => Code::Insert,
            NamedKey::F1 => Code::F(1),
            NamedKey::F2 => Code::F(2),
            NamedKey::F3 => Code::F(3),
            NamedKey::F4 => Code::F(4),
            NamedKey::F5 => Code::F(5),
            NamedKey::F6 => Code::F(6),
            NamedKey::F7 => Code::F(7),
            NamedKey::F8 => Code::F(8),
            NamedKey::F9 => Code::F(9),
            NamedKey::F10 => Code::F(10),
            NamedKey::F11 => Code::F(11),
            NamedKey::F12 => Code::F(12),
            NamedKey::Tab => Code::Tab,
            NamedKey::Esc => Code::Esc,
            NamedKey::Enter => Code::Enter,
            _ => return None,
        },
    };
    let held = |modifier: KeyModifier| {
        let modifier = i32::from(modifier);
        key.modifier == Some(modifier) || key.additional_modifiers.contains(&modifier)
    };
    if held(KeyModifier::Super) {
        return None;
    }
    Some(Key {
        code,
        ctrl: held(KeyModifier::Ctrl),
        alt: held(KeyModifier::Alt),
        shift: held(KeyModifier::Shift),
    })
}

/// What the mouse did, as far as the panes care.
pub(super) fn read_mouse(mouse: &MouseEventPayload) -> Option<Mouse> {
    let place = match mouse.mouse_event_payload.as_ref()? {
        MousePlace::Position(place) => Some((
            u16::try_from(place.line).ok()?,
            u16::try_from(place.column).ok()?,
        )),
        MousePlace::LineCount(_) => None,
    };
    let lines = match mouse.mouse_event_payload.as_ref()? {
        MousePlace::LineCount(lines) => (*lines).clamp(1, 100) as i32,
        MousePlace::Position(_) => 0,
    };
    match (
        MouseEventName::try_from(mouse.mouse_event_name).ok()?,
        place,
    ) {
        (MouseEventName::MouseScrollUp, None) => Some(Mouse::Scroll(-lines)),
        (MouseEventName::MouseScrollDown, None) => Some(Mouse::Scroll(lines)),
        (MouseEventName::MouseLeftClick, Some((row, column))) => Some(Mouse::Click { row, column }),
        _ => None,
    }
}

/// Zellij lists a part's colours as text, background, then four emphases.
pub(super) fn read_theme(styling: &Styling) -> Option<Theme> {
    let text = &styling.text_unselected;
    let selected = &styling.text_selected;
    let at = |list: &[api::style::Color], index: usize| list.get(index).and_then(read_color);
    Some(Theme::from(ZellijColors {
        emphasis: [at(text, 2)?, at(text, 3)?, at(text, 4)?, at(text, 5)?],
        selected: (at(selected, 0)?, at(selected, 1)?),
        success: at(&styling.exit_code_success, 0)?,
        error: at(&styling.exit_code_error, 0)?,
    }))
}

fn read_color(color: &api::style::Color) -> Option<Color> {
    match (
        ColorType::try_from(color.color_type).ok()?,
        color.payload.as_ref()?,
    ) {
        (ColorType::Rgb, color::Payload::RgbColorPayload(rgb)) => {
            Some(Color::Rgb(rgb.red as u8, rgb.green as u8, rgb.blue as u8))
        }
        (ColorType::EightBit, color::Payload::EightBitColorPayload(index)) => {
            Some(Color::Indexed(*index as u8))
        }
        _ => None,
    }
}
