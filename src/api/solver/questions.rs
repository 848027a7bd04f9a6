//! The methods of SolverService that ask about a problem or a result: each in one message.

use tonic::{Request, Response, Status};

use super::{SolverApi, off_the_async_threads, whole};
use crate::api::caller_of;
use crate::api::convert::lang;
use crate::api::convert::solver::proof::Reader;
use crate::api::convert::solver::questions::{MOST, alternate, asked, diagnosis, published, repaired};
use crate::api::convert::solver::within;
use crate::api::proto::v1;
use crate::instance::Violations;
use crate::service::{Action, refused};

/// Alternates where nobody says how many.
const ALTERNATES: i32 = 5;
/// Recruits at most: each is sought among all the dearest mentors.
const MOST_RECRUITS: i32 = 100;

pub(super) async fn what_if(
    api: &SolverApi,
    request: Request<v1::WhatIfRequest>,
) -> Result<Response<v1::WhatIfResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    Action::WhatIf.permit(&caller)?;
    let v1::WhatIfRequest { problem, pairs, proof, questions, max_alternates } = request.into_inner();
    let (aim, instance) = whole(problem).await?;
    let instance = instance.map_err(refused)?;
    let read = off_the_async_threads(move || {
        let mut wrong = Violations::default();
        let most: usize = within(max_alternates, || "max_alternates".to_owned(), MOST.into(), &mut wrong);
        let questions = asked(&instance.names, &questions, &mut wrong);
        let mut reader = Reader::new(&instance.names, aim.objective);
        reader.take_in(&pairs, proof);
        let result = reader.finish();
        match result {
            Ok(result) => wrong.none().map(|()| (instance, result, (questions, most))),
            Err(more) => {
                wrong.extend(more);
                Err(wrong)
            }
        }
    });
    let (instance, result, (questions, most)) = read.await?.map_err(refused)?;
    let most = if most == 0 { ALTERNATES.unsigned_abs() as usize } else { most };
    let work = api.service.what_if(&caller, instance, result, (questions, most))?;
    let (instance, answers) = work.finish().await?;
    let answers = answers.iter().map(|answer| v1::WhatIfAnswer {
        alternates: answer.iter().map(|one| alternate(&instance, one)).collect(),
    });
    Ok(Response::new(v1::WhatIfResponse { answers: answers.collect() }))
}

pub(super) async fn repair(
    api: &SolverApi,
    request: Request<v1::RepairRequest>,
) -> Result<Response<v1::RepairResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    Action::Repair.permit(&caller)?;
    let v1::RepairRequest { problem, published: before, budget } = request.into_inner();
    let (aim, instance) = whole(problem).await?;
    let mut wrong = Violations::default();
    let budget = budget.map(|budget| within(budget, || "budget".to_owned(), i32::MAX, &mut wrong));
    wrong.none().map_err(refused)?;
    let instance = instance.map_err(refused)?;
    let (instance, (known, gone)) = off_the_async_threads(move || {
        let published = published(&instance.names, &before);
        (instance, published)
    })
    .await?;
    let work = api.service.repair(&caller, Ok(instance), aim.objective, (known, budget))?;
    let (instance, mended) = work.finish().await?;
    Ok(Response::new(repaired(&instance, &mended, gone)))
}

pub(super) async fn diagnose(
    api: &SolverApi,
    request: Request<v1::DiagnoseRequest>,
) -> Result<Response<v1::DiagnoseResponse>, Status> {
    let caller = caller_of(&api.service, request.metadata()).await?;
    Action::Diagnose.permit(&caller)?;
    let v1::DiagnoseRequest { problem, max_recruits, language_code } = request.into_inner();
    let lang = lang(&language_code)?;
    let mut wrong = Violations::default();
    let recruits = within(max_recruits, || "max_recruits".to_owned(), MOST_RECRUITS, &mut wrong);
    wrong.none().map_err(refused)?;
    let (aim, instance) = whole(problem).await?;
    let diagnosed = api.service.diagnose(&caller, instance, aim.objective, recruits)?.finish().await?;
    Ok(Response::new(diagnosis(&diagnosed, lang)))
}
