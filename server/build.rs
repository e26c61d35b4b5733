//! The assets are embedded from a folder that changes with every build of the browser side.

fn main() {
    println!("cargo:rerun-if-changed=../target/site");
}
