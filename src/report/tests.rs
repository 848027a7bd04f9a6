use super::sample::Round;
use super::*;

#[test]
#[ignore = "writes the invented report to the file named by WIM_REPORT_SAMPLE, to be looked at"]
fn the_invented_report_is_written_to_a_file() {
    let to = std::env::var("WIM_REPORT_SAMPLE").unwrap();
    std::fs::write(to, render(&Round::realistic().report())).unwrap();
}
