//! The sample store is what its script makes, byte for byte: nobody has edited a file by hand, and
//! the script has no randomness.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn the_sample_files_are_what_their_script_makes() {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node/sample");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ran = Command::new("python3")
        .arg(sample.join("make.py").canonicalize().expect("the script"))
        .current_dir(folder.path())
        .output();
    let output = match ran {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("there is no python3 here: the sample files are taken as they are");
            return;
        }
        ran => ran.expect("python3 runs"),
    };
    assert!(output.status.success(), "{output:?}");
    let made = fs::read_dir(folder.path()).expect("a folder");
    let mut names: Vec<_> = made.map(|file| file.expect("a file").file_name()).collect();
    names.sort();
    for name in &names {
        let [made, kept] =
            [folder.path(), &sample].map(|f| fs::read(f.join(name)).expect("a file"));
        assert!(made == kept, "{name:?} differs: run make.py and look");
    }
    assert_eq!(names.len(), 8, "{names:?}");
}
