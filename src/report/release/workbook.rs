//! A report as a workbook: a first sheet that says what it is, and a sheet for each table with numbers as numbers.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::labels::Labels;
use crate::domain::report::{Cell, Content, Report, Table};
use crate::report::spreadsheet::WorkbookError;
use crate::wording;

/// Paper of the size A4, by its number in the format.
const A4: u8 = 9;
/// Characters of the name of a sheet at most.
const MOST_NAME: usize = 31;

/// The bytes of the workbook. Texts are stored as texts, so that no cell is a formula.
pub(super) fn xlsx(report: &Report, content: &Content, labels: Labels) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Workbook::new();
    // Without a fixed time, equal reports would give unequal bytes.
    let never = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&never));
    about(report, content, labels, workbook.add_worksheet())?;
    for table in &content.tables {
        write(table, labels, workbook.add_worksheet())?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn about(report: &Report, content: &Content, labels: Labels, sheet: &mut Worksheet) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_name(labels.text("sheet_about"))?.set_column_width(0, 34)?.set_column_width(1, 90)?;
    sheet.write_string_with_format(0, 0, labels.title(report, content), &bold)?;
    let list = ("version", &report.list_version as &dyn std::fmt::Display);
    let rows = [
        (labels.text("meta_made"), wording::moment(report.create_time, labels.lang)),
        (labels.text("meta_list"), labels.fill("list_version", &[list])),
        (labels.text("meta_parameters"), content.parameters.join(", ")),
        (labels.text("meta_digest"), report.digest.clone()),
        (labels.text("guide_title"), labels.text("guide_text").to_owned()),
    ];
    for (row, (name, value)) in (2_u32..).zip(rows) {
        sheet.write_string_with_format(row, 0, name, &bold)?;
        sheet.write_string_with_format(row, 1, value, &wrapped)?;
    }
    Ok(())
}

fn write(table: &Table, labels: Labels, sheet: &mut Worksheet) -> Result<(), XlsxError> {
    let header = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
    let numbers = ["0", "0.0", "0.00"].map(|form| Format::new().set_num_format(form));
    let grey = Format::new().set_italic().set_font_color("#52605c");
    let name: String = labels.table(table.id).chars().take(MOST_NAME).collect();
    sheet.set_name(name)?.set_freeze_panes(1, 1)?.set_column_width(0, 34)?;
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    sheet.write_string_with_format(0, 0, labels.rows_of(table.id), &header)?;
    for (at, column) in (1_u16..).zip(&table.columns) {
        sheet.set_column_width(at, 18)?;
        sheet.write_string_with_format(0, at, labels.column(column), &header)?;
    }
    for (row, line) in (1_u32..).zip(&table.rows) {
        sheet.write_string_with_format(row, 0, labels.row(table, line), &header)?;
        for ((at, column), cell) in (1_u16..).zip(&table.columns).zip(&line.cells) {
            match cell {
                Cell::Number(number) => {
                    let (value, decimals) = Labels::value(column, *number);
                    let form = &numbers[usize::from(decimals).min(2)];
                    sheet.write_number_with_format(row, at, value, form)?;
                }
                Cell::Nothing => {}
                Cell::Withheld(why) => {
                    sheet.write_string_with_format(row, at, labels.withheld(*why), &grey)?;
                }
            }
        }
    }
    Ok(())
}
