//! The real view, driven as a person drives it: keys and touches in, and what can be read on the
//! screen out. No display is needed; what is on the screen is what AccessKit tells a screen reader.

use std::collections::BTreeSet;

use api::{HqStatus, Mode};
use egui::{Event, Rect, vec2};
use egui_kittest::kittest::NodeT;
use egui_kittest::{Harness, Node};
use sale::{Command, LocalTime};
use ui::checkout::Checkout;
use ui::commands::COMMANDS;
use ui::fit::zoom;
use ui::theme;

#[path = "../examples/support/mod.rs"]
mod support;

/// The sizes of screen that a lane is likely to have, in pixels.
const SCREENS: [[f32; 2]; 5] = [
    [1280.0, 800.0],
    [1024.0, 768.0],
    [1366.0, 768.0],
    [1024.0, 600.0],
    [800.0, 480.0],
];
/// The smallest thing a finger must hit where everything is drawn smaller, in pixels.
const TOUCH_MIN_PX: f32 = 30.0;

/// How large a screen is in points, once the window has fitted itself on it.
fn points([width, height]: [f32; 2]) -> [f32; 2] {
    let size = vec2(width, height);
    (size / zoom(size, 1.0)).into()
}

struct Screen {
    checkout: Checkout,
    dressed: bool,
}

impl Screen {
    fn frame(&mut self, ui: &mut egui::Ui) {
        // Fonts hold from the next frame on.
        if self.dressed {
            return self.checkout.show(ui);
        }
        theme::install(ui.ctx());
        self.dressed = true;
        ui.ctx().request_repaint();
    }
}

struct Desk {
    screen: Harness<'static, Screen>,
    handle: support::Handle,
}

impl Desk {
    fn new(size: [f32; 2]) -> Desk {
        let (lane, handle) = support::lane();
        let screen = Screen {
            checkout: Checkout::new(lane),
            dressed: false,
        };
        // The harness leaves a margin of 8 points around what it shows.
        let size = vec2(size[0] + 16.0, size[1] + 16.0);
        let screen = Harness::builder()
            .with_size(size)
            .build_ui_state(|ui, screen: &mut Screen| screen.frame(ui), screen);
        let mut desk = Desk { screen, handle };
        desk.screen.run();
        desk
    }

    fn signed_in() -> Desk {
        Desk::signed_in_at(SCREENS[0])
    }

    fn signed_in_at(size: [f32; 2]) -> Desk {
        let mut desk = Desk::new(size);
        desk.scan("101");
        desk.scan("1234");
        desk
    }

    fn press(&mut self, key: egui::Key) -> &mut Desk {
        self.screen.key_press(key);
        self.screen.run();
        self
    }

    fn keys(&mut self, text: &str) -> &mut Desk {
        for c in text.chars() {
            self.screen.event(Event::Text(c.to_string()));
        }
        self.screen.run();
        self
    }

    fn scan(&mut self, code: &str) -> &mut Desk {
        self.keys(code).press(egui::Key::Enter)
    }

    fn scan_item(&mut self, item: &str) -> &mut Desk {
        self.scan(&support::barcode(item))
    }

    fn buttons(&self) -> Vec<Node<'_>> {
        let role = egui::accesskit::Role::Button;
        let buttons = self.screen.root().children_recursive();
        buttons
            .filter(|node| node.accesskit_node().role() == role)
            .collect()
    }

    /// Touches a button by what is written on it, or the topmost of several.
    fn touch(&mut self, label: &str) -> &mut Desk {
        let named = |node: &Node<'_>| node.accesskit_node().label().as_deref() == Some(label);
        let button = self.buttons().into_iter().rfind(named);
        let Some(button) = button else {
            panic!("no button '{label}' among:\n{}", self.told());
        };
        button.click();
        self.screen.run();
        self
    }

    /// Everything that can be read, one text a line.
    fn told(&self) -> String {
        let mut told = Vec::new();
        for node in self.screen.root().children_recursive() {
            let node = node.accesskit_node();
            told.extend(node.label());
            told.extend(node.value());
        }
        told.join("\n")
    }

    #[track_caller]
    fn shows(&self, texts: &[&str]) {
        let told = self.told();
        for text in texts {
            assert!(told.contains(text), "'{text}' is not shown in:\n{told}");
        }
    }

    #[track_caller]
    fn hides(&self, texts: &[&str]) {
        let told = self.told();
        for text in texts {
            assert!(!told.contains(text), "'{text}' is shown in:\n{told}");
        }
    }

    fn set(&mut self, change: impl FnOnce(&mut support::Inside)) {
        self.handle.set(change);
        self.screen.run();
    }
}

/// The codes that were sold, in order.
fn sold(handle: &support::Handle) -> Vec<String> {
    let inside = handle.0.borrow();
    let codes = inside.done.iter().filter_map(|command| match command {
        Command::Scan { code, .. } => Some(code.clone()),
        _ => None,
    });
    codes.collect()
}

#[test]
fn signing_in_by_keyboard() {
    let mut desk = Desk::new(SCREENS[0]);
    desk.shows(&["Sign in", "Employee number", "No one signed in"]);
    desk.scan("101").keys("1234");
    desk.shows(&["101", "••••"]);
    desk.hides(&["1234"]);
    desk.press(egui::Key::Enter);
    desk.shows(&["Ann Miller", "Scan the first item to begin."]);
}

#[test]
fn signing_in_by_touch() {
    let mut desk = Desk::new(SCREENS[1]);
    for key in [
        "1", "0", "1", "Next", "1", "2", "2", "Erase", "3", "4", "Sign in",
    ] {
        desk.touch(key);
    }
    desk.shows(&["Ann Miller"]);
    desk.touch("Sign out");
    desk.shows(&["No one signed in"]);
}

#[test]
fn a_wrong_pin_is_said() {
    let mut desk = Desk::new(SCREENS[0]);
    desk.scan("101").scan("4321");
    desk.shows(&["That number and PIN do not match.", "Type both again."]);
    desk.touch("Put away");
    desk.hides(&["That number and PIN do not match."]);
}

#[test]
fn a_scan_becomes_a_line() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001");
    desk.shows(&["1 × Whole wheat bread 500 g: 2.79", "1 item", "2.85"]);
    desk.scan(&format!("3*{}", support::barcode("10005")));
    desk.shows(&[
        "3 × Cola 0.5 l: 4.47",
        "Cola: 3 for 3.50: −0.97",
        "Deposit: 0.75",
        "4 items",
    ]);
}

#[test]
fn a_sale_by_touch_alone() {
    let mut desk = Desk::signed_in_at(SCREENS[1]);
    for key in ["2", "×", "4", "0", "1", "1", "Enter"] {
        desk.touch(key);
    }
    desk.shows(&["2.000 kg × Bananas: 3.98"]);
    desk.touch("Quantity");
    for key in ["1", ".", "5", "OK"] {
        desk.touch(key);
    }
    desk.shows(&["1.500 kg × Bananas"]);
    desk.touch("Pay").touch("5.00");
    desk.shows(&["Change", "Receipt 1-000001"]);
    desk.touch("Next customer");
    desk.shows(&["Scan the first item to begin."]);
}

#[test]
fn an_unknown_code_is_a_notice_and_no_obstacle() {
    let mut desk = Desk::signed_in();
    desk.scan("777");
    desk.shows(&["No item has the code 777.", "look the item up by name"]);
    desk.scan_item("10001");
    desk.hides(&["No item has the code 777."]);
    desk.shows(&["1 × Whole wheat bread 500 g"]);
}

#[test]
fn the_age_dialog_waits_for_a_person() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10007")
        .scan_item("10001")
        .scan_item("10002");
    desk.shows(&["Is the buyer 18 or older?", "2 scans wait"]);
    desk.hides(&["1 × Whole wheat bread 500 g"]);
    desk.touch("Yes, 18 or older");
    desk.hides(&["Is the buyer"]);
    let wine = support::barcode("10007");
    let expected = [wine, support::barcode("10001"), support::barcode("10002")];
    assert_eq!(sold(&desk.handle), expected);
}

#[test]
fn the_age_dialog_can_be_declined() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10007").touch("No, leave it out");
    desk.shows(&["Left out: Red wine Rioja 0.75 l."]);
    desk.hides(&["Is the buyer", "1 × Red wine"]);
}

#[test]
fn nothing_behind_a_dialog_can_be_touched() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001").scan_item("10007");
    desk.touch("Pay");
    desk.shows(&["Is the buyer 18 or older?"]);
    desk.hides(&["To pay"]);
}

#[test]
fn the_weight_dialog_takes_a_weight() {
    let mut desk = Desk::signed_in();
    desk.scan("4011");
    desk.shows(&["Weight in kilograms", "Bananas"]);
    desk.scan("0");
    desk.shows(&["'0' is out of range"]);
    desk.scan("0.455");
    desk.shows(&["0.455 kg × Bananas: 0.91", "Fruit Friday 20 % off: −0.18"]);
}

#[test]
fn paying_exactly() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001").press(egui::Key::F12);
    desk.shows(&["To pay, USD", "Exact 2.85"]);
    desk.press(egui::Key::F2);
    desk.shows(&["No change", "0.00", "Receipt 1-000001", "Whole wheat bread"]);
}

#[test]
fn paying_in_parts_with_change() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001").touch("Pay").scan("1");
    desk.shows(&["1.00 of 2.85 is paid", "Exact 1.85", "Give the money back"]);
    desk.scan("10");
    desk.shows(&["Change", "8.15", "Total 2.85, paid 11.00"]);
    desk.scan_item("10002");
    desk.shows(&["1 × Milk 1 l: 1.09", "Last sale: change 8.15."]);
}

#[test]
fn a_line_is_marked_and_removed() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001").scan_item("10002");
    desk.touch("1 × Whole wheat bread 500 g: 2.79")
        .touch("Remove line");
    desk.hides(&["1 × Whole wheat bread 500 g"]);
    desk.shows(&["1 × Milk 1 l: 1.09", "Removed: Whole wheat bread 500 g."]);
}

#[test]
fn a_sale_is_voided_with_a_reason() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001").touch("Void sale");
    desk.shows(&["Void the whole sale? Why?"]);
    desk.touch("3   Rung up by mistake");
    desk.shows(&["The sale was voided.", "Rung up by mistake."]);
    desk.hides(&["1 × Whole wheat bread 500 g"]);
}

#[test]
fn a_price_is_changed() {
    let mut desk = Desk::new(SCREENS[0]);
    desk.scan("201").scan("2222").scan_item("10001");
    desk.touch("Change price").scan("2.00");
    desk.shows(&["Change the price to 2.00? Why?"]);
    desk.touch("2   Damaged or short-dated");
    desk.shows(&[
        "1 × Whole wheat bread 500 g: 2.00",
        "Price changed: Damaged or short-dated",
    ]);
}

#[test]
fn a_customer_is_shown() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10010").touch("Customer").scan("900017");
    desk.shows(&["Eva Lind, Gold", "Gold card: coffee 1.50 off: −1.50"]);
}

#[test]
fn an_item_is_found_by_touch() {
    let mut desk = Desk::signed_in_at(SCREENS[1]);
    desk.touch("Find item");
    for key in ["M", "I", "L", "K"] {
        desk.touch(key);
    }
    desk.shows(&["Milk 1 l, 1.09"]);
    desk.touch("Milk 1 l, 1.09");
    desk.shows(&["1 × Milk 1 l: 1.09"]);
    desk.touch("Find item").keys("nothing");
    desk.shows(&["Nothing has these words in its name."]);
    desk.touch("Close");
    desk.hides(&["Nothing has these words in its name."]);
}

#[test]
fn the_last_receipt_is_marked_as_a_reprint() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001").touch("Pay").press(egui::Key::F2);
    desk.hides(&["REPRINT"]);
    desk.shows(&["12 Quay Street", "Thank you. Please come again."]);
    desk.touch("Next customer").touch("Last receipt");
    desk.shows(&["*** REPRINT ***", "Receipt 1-000001", "12 Quay Street"]);
    desk.touch("Close");
    desk.hides(&["REPRINT"]);
}

#[test]
fn a_long_receipt_is_read_by_keys() {
    let mut desk = Desk::signed_in_at(SCREENS[1]);
    for _ in 0..40 {
        desk.scan_item("10001");
    }
    desk.press(egui::Key::F12).press(egui::Key::F2);
    desk.press(egui::Key::F12).press(egui::Key::F7);
    let top = |desk: &Desk| {
        let mut nodes = desk.screen.root().children_recursive();
        let paper = nodes.find(|node| {
            let value = node.accesskit_node().value().unwrap_or_default();
            value.contains("REPRINT")
        });
        paper.expect("the receipt is on the screen").rect().top()
    };
    let first = top(&desk);
    desk.press(egui::Key::End);
    let last = top(&desk);
    assert!(last < first, "{last} is above {first}");
    desk.press(egui::Key::Home);
    assert_eq!(top(&desk), first);
}

#[test]
fn the_four_states_are_shown() {
    let mut desk = Desk::signed_in();
    desk.shows(&["Together", "Lane 2, here, leader", "HQ up to date"]);
    desk.set(|inside| {
        inside.mode = Mode::Partial {
            reachable: 2,
            lanes: 3,
        };
        inside.hq.lag_entries = 37;
    });
    desk.shows(&["Partial", "2 of 3 lanes", "Lane 3, away", "HQ 37 behind"]);
    desk.set(|inside| {
        let since = LocalTime {
            unix_ms: 1_795_783_020_000,
            offset_minutes: -300,
        };
        inside.mode = Mode::Alone {
            unshared: 12,
            since: Some(since),
        };
        inside.hq = HqStatus {
            configured: true,
            lag_entries: 214,
            published: 0,
            problem: Some("connection refused".to_owned()),
        };
        inside.warnings = vec!["The static list of lanes is used.".to_owned()];
    });
    desk.shows(&[
        "Alone",
        "selling, 12 sales not yet shared, since 07:37",
        "HQ away, 214 waiting",
        "1 warning",
    ]);
    desk.touch("Help");
    desk.shows(&[
        "The static list of lanes is used.",
        "HQ: connection refused",
    ]);
    desk.touch("Close");
    desk.set(|inside| {
        let reason = "The disk is full.".to_owned();
        inside.mode = Mode::Stop { reason };
    });
    desk.shows(&[
        "STOP",
        "The disk is full.",
        "Do not sell here.",
        "This lane has stopped",
    ]);
}

#[test]
fn a_burst_inside_one_frame_keeps_its_order() {
    let mut desk = Desk::signed_in();
    let items = ["10001", "10002", "10003", "10004", "10012"];
    for item in items {
        let events = &mut desk.screen.input_mut().events;
        let characters: Vec<char> = support::barcode(item).chars().collect();
        events.extend(characters.iter().map(|c| Event::Text(c.to_string())));
        for pressed in [true, false] {
            events.push(Event::Key {
                key: egui::Key::Enter,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers: egui::Modifiers::NONE,
            });
        }
    }
    desk.screen.run();
    assert_eq!(sold(&desk.handle), items.map(support::barcode));
}

#[test]
fn a_button_keeps_no_focus_that_enter_could_press() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001")
        .touch("Quantity")
        .press(egui::Key::Escape);
    desk.press(egui::Key::Tab)
        .press(egui::Key::Tab)
        .press(egui::Key::Space);
    desk.scan_item("10002");
    desk.shows(&["1 × Whole wheat bread 500 g", "1 × Milk 1 l"]);
    assert!(desk.screen.ctx.memory(|memory| memory.focused()).is_none());
}

#[test]
fn help_lists_every_command() {
    let mut desk = Desk::signed_in_at(SCREENS[1]);
    desk.press(egui::Key::F1);
    let told = desk.told();
    let lines: BTreeSet<&str> = told.lines().collect();
    for command in COMMANDS {
        for text in [command.key.name(), command.label, command.help] {
            assert!(lines.contains(text), "'{text}' is not in the help");
        }
    }
    desk.press(egui::Key::F1);
    desk.hides(&["Show or hide this list"]);
}

/// Every screen and dialog, each by a text that only it shows, with what leads there.
fn every_screen(size: [f32; 2]) -> Vec<(&'static str, Desk)> {
    let open = |steps: &dyn Fn(&mut Desk)| {
        let mut desk = Desk::signed_in_at(size);
        desk.scan_item("10001").scan_item("10005");
        steps(&mut desk);
        desk
    };
    let pressing = |key| {
        open(&|desk| {
            desk.press(key);
        })
    };
    vec![
        ("Employee number", Desk::new(size)),
        ("Sign out", open(&|_| {})),
        (
            "16 items",
            open(&|desk| {
                for _ in 0..14 {
                    desk.scan_item("10001");
                }
            }),
        ),
        (
            "No item has the code 777.",
            open(&|desk| {
                desk.scan("777").scan("778").scan("779");
            }),
        ),
        (
            "STOP",
            open(&|desk| {
                desk.set(|inside| {
                    let reason = "The disk is full.".to_owned();
                    inside.mode = Mode::Stop { reason };
                });
            }),
        ),
        ("To pay, USD", pressing(egui::Key::F12)),
        (
            "Scan to begin the next sale",
            open(&|desk| {
                desk.press(egui::Key::F12).scan("50");
            }),
        ),
        (
            "Is the buyer 18 or older?",
            open(&|desk| {
                desk.scan_item("10007");
            }),
        ),
        (
            "Weight in kilograms",
            open(&|desk| {
                desk.scan("4011").scan("0");
            }),
        ),
        ("OK", pressing(egui::Key::F3)),
        ("Scan or type it", pressing(egui::Key::F5)),
        ("Void the whole sale? Why?", pressing(egui::Key::F8)),
        (
            "Cola 0.5 l, 1.49",
            open(&|desk| {
                desk.press(egui::Key::F2).keys("ol");
            }),
        ),
        ("Show or hide this list", pressing(egui::Key::F1)),
    ]
}

#[test]
fn every_button_can_be_hit_by_a_finger_and_lies_on_the_screen_alone() {
    for screen in SCREENS {
        let size = points(screen);
        // Inside the harness's margin.
        let whole = Rect::from_min_size(egui::pos2(8.0, 8.0), size.into());
        let drawn = zoom(screen.into(), 1.0);
        assert!(theme::TOUCH_MIN * drawn >= TOUCH_MIN_PX, "{screen:?}");
        for (name, desk) in every_screen(size) {
            desk.shows(&[name]);
            let mut buttons = desk.buttons();
            assert!(buttons.len() > 1, "{name} has buttons");
            // Lines of a long sale are scrolled out of their list.
            buttons.retain(|button| !is_line(button));
            for button in &buttons {
                let label = button.accesskit_node().label().unwrap_or_default();
                let rect = button.rect();
                assert!(
                    rect.height() >= theme::TOUCH_MIN && rect.width() >= theme::TOUCH_MIN,
                    "{name} at {screen:?}: '{label}' is {:?}",
                    rect.size()
                );
                assert!(
                    whole.contains_rect(rect),
                    "{name} at {screen:?}: '{label}' is at {rect:?}"
                );
                assert!(
                    !label.is_empty(),
                    "{name} at {screen:?}: a button has no name"
                );
            }
            if desk.screen.ctx.memory(|m| m.top_modal_layer()).is_none() {
                none_overlap(&buttons, &format!("{name} at {screen:?}"));
            }
        }
    }
}

fn is_line(button: &Node<'_>) -> bool {
    let label = button.accesskit_node().label().unwrap_or_default();
    label.contains(" × ")
}

fn none_overlap(buttons: &[Node<'_>], place: &str) {
    for (i, one) in buttons.iter().enumerate() {
        for other in &buttons[i + 1..] {
            let shared = one.rect().intersect(other.rect());
            assert!(
                !shared.is_positive(),
                "{place}: {one:?} and {other:?} overlap"
            );
        }
    }
}

#[test]
fn the_window_rests_while_nothing_happens() {
    let mut desk = Desk::signed_in();
    desk.scan_item("10001");
    // `run` draws until nothing asks for another frame at once.
    assert_eq!(desk.screen.run(), 1);
}
