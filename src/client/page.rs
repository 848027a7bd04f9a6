//! List methods, called page by page until the last page.

use super::error::Error;

/// Rows asked for per call.
pub(super) const PAGE_SIZE: i32 = 1_000;

/// All items of a list method. `page` takes a page token and returns the items of that page with the token of the next one.
pub(super) async fn pages<T, P>(mut page: impl FnMut(String) -> P) -> Result<Vec<T>, Error>
where
    P: Future<Output = Result<(Vec<T>, String), Error>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let (items, next) = page(token).await?;
        all.extend(items);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pages_are_called_with_the_token_of_the_page_before_until_the_last() {
        let mut asked = Vec::new();
        let all = pages(|token| {
            asked.push(token.clone());
            async move {
                Ok(match token.as_str() {
                    "" => (vec![1, 2], "b".to_owned()),
                    "b" => (vec![], "c".to_owned()),
                    _ => (vec![3], String::new()),
                })
            }
        });
        assert_eq!(all.await.expect("three pages"), [1, 2, 3]);
        assert_eq!(asked, ["", "b", "c"]);
    }
}
