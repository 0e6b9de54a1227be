//! The one table of what a cashier can do: it drives buttons, keys, the help overlay and tests.
//!
//! A key means one thing in a place; a test holds the table to that. Knows no egui.

/// A key of the keyboard that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Enter,
    Escape,
    Backspace,
    Delete,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    /// F1 to F12.
    F(u8),
}

impl Key {
    /// As it is printed on a keyboard.
    pub fn name(self) -> &'static str {
        const F: [&str; 12] = [
            "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
        ];
        match self {
            Key::Enter => "Enter",
            Key::Escape => "Esc",
            Key::Backspace => "Backspace",
            Key::Delete => "Del",
            Key::Up => "Up",
            Key::Down => "Down",
            Key::PageUp => "Page Up",
            Key::PageDown => "Page Down",
            Key::Home => "Home",
            Key::End => "End",
            Key::F(n) => F.get(usize::from(n.max(1) - 1)).copied().unwrap_or("F"),
        }
    }
}

/// Something a cashier can do at any one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Takes what was typed or scanned.
    Submit,
    /// One step back: an overlay, a tender, what was typed, a notice.
    Back,
    /// Says yes to what is asked.
    Yes,
    Erase,
    Clear,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Help,
    Search,
    Quantity,
    VoidLine,
    Customer,
    Price,
    LastReceipt,
    VoidSale,
    SignOut,
    Fullscreen,
    Pay,
    /// Exactly what is due.
    CashExact,
    /// The n-th suggested amount of cash, from 0.
    CashSuggested(usize),
    NextCustomer,
    /// The receipt that is on the screen.
    Print,
}

/// Where the cashier is: what the screen asks for decides what a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Starting,
    SignIn,
    Sale,
    Tender,
    Receipt,
    /// The age of the buyer is asked for.
    Age,
    /// The weight of an item is asked for.
    Weight,
    /// A number or a text is asked for.
    Prompt,
    /// One of a few reasons is asked for.
    Choice,
    Find,
    /// The help overlay or the last receipt.
    Overlay,
}

/// Places in which a sale is on the screen and nothing else is asked.
const SALE: &[Place] = &[Place::Sale];
const TENDER: &[Place] = &[Place::Tender];
const ASKED: &[Place] = &[Place::Age, Place::Choice];
const LISTS: &[Place] = &[
    Place::Sale,
    Place::Find,
    Place::Choice,
    Place::Receipt,
    Place::Overlay,
];
const LONG: &[Place] = &[Place::Sale, Place::Find, Place::Receipt, Place::Overlay];
const TYPED: &[Place] = &[
    Place::SignIn,
    Place::Sale,
    Place::Tender,
    Place::Receipt,
    Place::Age,
    Place::Weight,
    Place::Prompt,
    Place::Choice,
    Place::Find,
    Place::Overlay,
];
const MAIN: &[Place] = &[
    Place::Starting,
    Place::SignIn,
    Place::Sale,
    Place::Tender,
    Place::Receipt,
    Place::Overlay,
];
const EVERYWHERE: &[Place] = &[
    Place::Starting,
    Place::SignIn,
    Place::Sale,
    Place::Tender,
    Place::Receipt,
    Place::Age,
    Place::Weight,
    Place::Prompt,
    Place::Choice,
    Place::Find,
    Place::Overlay,
];

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct CommandInfo {
    pub action: Action,
    pub key: Key,
    /// On the button.
    pub label: &'static str,
    /// In the help overlay.
    pub help: &'static str,
    pub places: &'static [Place],
}

const fn row(
    action: Action,
    key: Key,
    label: &'static str,
    help: &'static str,
    places: &'static [Place],
) -> CommandInfo {
    CommandInfo {
        action,
        key,
        label,
        help,
        places,
    }
}

/// Everything a cashier can do, in the order of the help overlay.
pub const COMMANDS: &[CommandInfo] = &[
    row(
        Action::Submit,
        Key::Enter,
        "Enter",
        "Take what is typed: 3*code",
        TYPED,
    ),
    row(
        Action::Back,
        Key::Escape,
        "Back",
        "One step back",
        EVERYWHERE,
    ),
    row(
        Action::Yes,
        Key::F(10),
        "Yes",
        "Say yes to a question",
        ASKED,
    ),
    row(
        Action::Help,
        Key::F(1),
        "Help",
        "Show or hide this list",
        MAIN,
    ),
    row(
        Action::Search,
        Key::F(2),
        "Find item",
        "Find an item by its name",
        SALE,
    ),
    row(
        Action::Quantity,
        Key::F(3),
        "Quantity",
        "How many of the marked line",
        SALE,
    ),
    row(
        Action::VoidLine,
        Key::F(4),
        "Remove line",
        "Take the marked line out",
        SALE,
    ),
    row(
        Action::Customer,
        Key::F(5),
        "Customer",
        "By the number on the card",
        SALE,
    ),
    row(
        Action::Price,
        Key::F(6),
        "Change price",
        "Of the marked line; 10% for a discount",
        SALE,
    ),
    row(
        Action::LastReceipt,
        Key::F(7),
        "Last receipt",
        "Show it again",
        SALE,
    ),
    row(
        Action::VoidSale,
        Key::F(8),
        "Void sale",
        "Give up the whole sale",
        SALE,
    ),
    row(
        Action::SignOut,
        Key::F(9),
        "Sign out",
        "Leave the lane",
        SALE,
    ),
    row(Action::Pay, Key::F(12), "Pay", "Take the money", SALE),
    row(
        Action::CashExact,
        Key::F(2),
        "Exact",
        "Take exactly what is due",
        TENDER,
    ),
    row(
        Action::CashSuggested(0),
        Key::F(3),
        "Cash 1",
        "Take the first amount",
        TENDER,
    ),
    row(
        Action::CashSuggested(1),
        Key::F(4),
        "Cash 2",
        "Take the second amount",
        TENDER,
    ),
    row(
        Action::CashSuggested(2),
        Key::F(5),
        "Cash 3",
        "Take the third amount",
        TENDER,
    ),
    row(
        Action::CashSuggested(3),
        Key::F(6),
        "Cash 4",
        "Take the fourth amount",
        TENDER,
    ),
    row(
        Action::CashSuggested(4),
        Key::F(7),
        "Cash 5",
        "Take the fifth amount",
        TENDER,
    ),
    row(
        Action::NextCustomer,
        Key::F(12),
        "Next customer",
        "Put the receipt away",
        &[Place::Receipt],
    ),
    row(
        Action::Print,
        Key::F(7),
        "Print",
        "Print the receipt on the screen",
        &[Place::Receipt, Place::Overlay],
    ),
    row(
        Action::Up,
        Key::Up,
        "Up",
        "The line above, or scroll",
        LISTS,
    ),
    row(
        Action::Down,
        Key::Down,
        "Down",
        "The line below, or scroll",
        LISTS,
    ),
    row(
        Action::PageUp,
        Key::PageUp,
        "Page up",
        "Some lines up",
        LONG,
    ),
    row(
        Action::PageDown,
        Key::PageDown,
        "Page down",
        "Some lines down",
        LONG,
    ),
    row(Action::First, Key::Home, "First", "To the first line", LONG),
    row(Action::Last, Key::End, "Last", "To the last line", LONG),
    row(
        Action::Erase,
        Key::Backspace,
        "Erase",
        "Take one character back",
        TYPED,
    ),
    row(
        Action::Clear,
        Key::Delete,
        "Clear",
        "Take back all that is typed",
        TYPED,
    ),
    row(
        Action::Fullscreen,
        Key::F(11),
        "Full screen",
        "Fill the screen or not",
        EVERYWHERE,
    ),
];

/// The table's row for an action.
pub fn info(action: Action) -> Option<&'static CommandInfo> {
    COMMANDS.iter().find(|row| row.action == action)
}

/// What a key does in a place.
pub fn action_for(place: Place, key: Key) -> Option<Action> {
    COMMANDS
        .iter()
        .find(|row| row.key == key && row.places.contains(&place))
        .map(|row| row.action)
}

/// Whether an action means anything in a place.
pub fn allowed(place: Place, action: Action) -> bool {
    info(action).is_some_and(|row| row.places.contains(&place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_one_thing_in_a_place() {
        for (i, one) in COMMANDS.iter().enumerate() {
            for other in &COMMANDS[i + 1..] {
                assert_ne!(one.action, other.action, "{one:?} is listed twice");
                let shared = one.places.iter().find(|p| other.places.contains(p));
                assert!(
                    one.key != other.key || shared.is_none(),
                    "{} is both '{}' and '{}' in {shared:?}",
                    one.key.name(),
                    one.label,
                    other.label
                );
            }
        }
    }

    #[test]
    fn every_place_has_a_way_out() {
        for place in EVERYWHERE {
            assert_eq!(action_for(*place, Key::Escape), Some(Action::Back));
        }
        for place in ASKED {
            assert_eq!(action_for(*place, Key::F(10)), Some(Action::Yes));
        }
    }
}
