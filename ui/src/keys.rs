//! From egui's input events to messages: the one place that knows what a keyboard sends.
//!
//! Events are taken in the order in which they came, so a whole burst of a scanner inside one frame
//! keeps its codes apart. Widgets never get the keyboard: no button can be pressed by the Enter that
//! ends a barcode.

use egui::{Event, ImeEvent};

use crate::commands::{Key, Place, action_for};
use crate::message::Message;

/// What an event means. `place` is where the cashier is when it comes, which may change from one
/// event to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Text(String),
    Key(Key),
}

/// Reads one event; text with line ends, as a pasted list has them, becomes several inputs.
pub fn inputs(event: &Event) -> Vec<Input> {
    match event {
        Event::Text(text) | Event::Ime(ImeEvent::Commit(text)) => vec![Input::Text(text.clone())],
        Event::Paste(text) => pasted(text),
        Event::Key {
            key,
            pressed: true,
            repeat,
            modifiers,
            ..
        } if !modifiers.alt && !modifiers.command => key_of(*key)
            .filter(|key| !*repeat || may_repeat(*key))
            .map(Input::Key)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// What an input means where the cashier is.
pub fn message(place: Place, input: Input) -> Option<Message> {
    match input {
        Input::Text(text) => Some(Message::Typed(text)),
        Input::Key(key) => action_for(place, key).map(Message::Do),
    }
}

fn pasted(text: &str) -> Vec<Input> {
    let mut inputs = Vec::new();
    for line in text.split_inclusive('\n') {
        inputs.push(Input::Text(line.trim_end().to_owned()));
        if line.ends_with('\n') {
            inputs.push(Input::Key(Key::Enter));
        }
    }
    inputs
}

/// A key that is held down moves a mark or erases; it never pays twice.
fn may_repeat(key: Key) -> bool {
    matches!(
        key,
        Key::Backspace | Key::Up | Key::Down | Key::PageUp | Key::PageDown
    )
}

fn key_of(key: egui::Key) -> Option<Key> {
    const F: [egui::Key; 12] = [
        egui::Key::F1,
        egui::Key::F2,
        egui::Key::F3,
        egui::Key::F4,
        egui::Key::F5,
        egui::Key::F6,
        egui::Key::F7,
        egui::Key::F8,
        egui::Key::F9,
        egui::Key::F10,
        egui::Key::F11,
        egui::Key::F12,
    ];
    Some(match key {
        egui::Key::Enter => Key::Enter,
        egui::Key::Escape => Key::Escape,
        egui::Key::Backspace => Key::Backspace,
        egui::Key::Delete => Key::Delete,
        egui::Key::ArrowUp => Key::Up,
        egui::Key::ArrowDown => Key::Down,
        egui::Key::PageUp => Key::PageUp,
        egui::Key::PageDown => Key::PageDown,
        egui::Key::Home => Key::Home,
        egui::Key::End => Key::End,
        other => {
            let (n, _) = (1..).zip(F).find(|(_, f)| *f == other)?;
            Key::F(n)
        }
    })
}

#[cfg(test)]
mod tests {
    use egui::Modifiers;

    use super::*;

    fn press(key: egui::Key, repeat: bool, modifiers: Modifiers) -> Event {
        Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat,
            modifiers,
        }
    }

    #[test]
    fn events_become_inputs() {
        let check = |event: Event, expected: &[Input]| assert_eq!(inputs(&event), expected);
        let text = |text: &str| Input::Text(text.to_owned());
        let none = Modifiers::NONE;
        check(Event::Text("4".to_owned()), &[text("4")]);
        check(
            press(egui::Key::Enter, false, none),
            &[Input::Key(Key::Enter)],
        );
        check(press(egui::Key::Enter, true, none), &[]);
        check(press(egui::Key::F12, true, none), &[]);
        check(
            press(egui::Key::F12, false, none),
            &[Input::Key(Key::F(12))],
        );
        check(
            press(egui::Key::ArrowUp, true, none),
            &[Input::Key(Key::Up)],
        );
        check(press(egui::Key::F4, false, Modifiers::ALT), &[]);
        check(press(egui::Key::A, false, none), &[]);
        check(
            Event::Paste("12\n34".to_owned()),
            &[text("12"), Input::Key(Key::Enter), text("34")],
        );
    }
}
