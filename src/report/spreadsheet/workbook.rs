//! A workbook of Excel: sheets with a header that stays, filters, wrapped texts, and scores as percentages.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::{Cell, Sheet, Sheets};
use crate::domain::vocabulary::Lang;

/// A workbook that cannot be written: it would have more rows than a sheet holds.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WorkbookError(#[from] XlsxError);

/// Paper of the size A4, by its number in the format.
const A4: u8 = 9;

/// The sheets as the bytes of a workbook. Texts are stored as texts, so that no cell is a formula.
pub fn workbook(sheets: &Sheets, lang: Lang) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Workbook::new();
    // Without a fixed time, equal reports would give unequal bytes.
    let never = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&never));
    for sheet in [&sheets.matches, &sheets.unmatched] {
        write(sheet, workbook.add_worksheet(), lang)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn write(sheet: &Sheet, worksheet: &mut Worksheet, lang: Lang) -> Result<(), XlsxError> {
    let header = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
    let text = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let percentage = Format::new().set_num_format("0.00%").set_align(FormatAlign::Top);
    worksheet.set_name(sheet.title)?.set_freeze_panes(1, 1)?;
    worksheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    for (at, column) in (0_u16..).zip(&sheet.columns) {
        worksheet.set_column_width(at, f64::from(column.width))?;
        worksheet.write_string_with_format(0, at, column.title, &header)?;
    }
    let last_row = u32::try_from(sheet.rows.len()).map_err(|_| XlsxError::RowColumnLimitError)?;
    let last_column = u16::try_from(sheet.columns.len().saturating_sub(1)).unwrap_or_default();
    for (row, cells) in (1_u32..).zip(&sheet.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Score(points) => {
                    let share = f64::from(*points) / 10_000.0;
                    worksheet.write_number_with_format(row, column, share, &percentage)?
                }
                cell => worksheet.write_string_with_format(row, column, cell.in_words("\n", lang), &text)?,
            };
        }
    }
    worksheet.autofilter(0, 0, last_row, last_column)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::spreadsheet::Column;

    #[test]
    fn more_rows_than_a_sheet_holds_are_an_error_and_not_a_cut_file() {
        let sheet = |title, rows: usize| Sheet {
            title,
            columns: vec![Column { title: "A", width: 9 }],
            rows: vec![Vec::new(); rows],
        };
        let with = |rows| Sheets { matches: sheet("M", rows), unmatched: sheet("U", 0) };
        assert!(workbook(&with(1_048_575), Lang::En).is_ok(), "a header and all other rows");
        assert!(workbook(&with(1_048_576), Lang::En).is_err());
    }
}
