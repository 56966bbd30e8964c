// The response browser: filters and search, the list, and one response with what was said about it.
import { useEffect } from "preact/hooks";
import { with_query } from "../api/client";
import { usePaged } from "../api/paged";
import { useResource } from "../api/resource";
import type { Annotator, ResponsePage, ResponseRow, Round, Run } from "../api/types";
import { Empty, Failure, Loading } from "../components/pieces";
import { FilterForm } from "../responses/filter_form";
import { filters_of } from "../responses/filters";
import { ResponseDetail } from "../responses/response_detail";
import { ResponseList } from "../responses/response_list";
import { go, type Page } from "../route";
import "../style/responses.css";

const kPageSize = 50;

export default function ResponsesPage({ page }: { page: Extract<Page, { name: "responses" }> }) {
  const filters = filters_of(page.query);
  const found = usePaged(
    with_query("/api/v1/responses", { ...filters, limit: kPageSize }),
    ({ responses, next }: ResponsePage) => ({ rows: responses, next }),
  );
  const runs = useResource<{ runs: Run[] }>("/api/v1/runs");
  const rounds = useResource<{ rounds: Round[] }>(with_query("/api/v1/rounds", { run: filters.run, limit: 200 }));
  const annotators = useResource<{ annotators: Annotator[] }>(with_query("/api/v1/annotators", { run: filters.run }));
  const listed = found.rows.find((response) => response.id === page.id) ?? null;
  const alone = useResource<ResponseRow>(page.id !== null && listed === null ? `/api/v1/responses/${page.id}` : null);
  const shown = listed ?? alone.data;
  useEffect(() => {
    document.title = page.id === null ? "Responses · cutd" : `Response ${page.id} · cutd`;
  }, [page.id]);

  return (
    <>
      <div class="title">
        <h1>Responses</h1>
      </div>
      <FilterForm
        key={filters.search ?? ""}
        reading={page.id !== null}
        filters={filters}
        runs={runs.data?.runs ?? []}
        rounds={rounds.data?.rounds ?? []}
        annotators={annotators.data?.annotators ?? []}
        onChange={(next) => go(with_query("/responses", next))}
      />
      {found.error !== null && <Failure text={found.error} />}
      <div class={page.id === null ? "browser" : "browser opened"}>
        <div class="list-side">
          {found.loading && <Loading what="responses" />}
          {!found.loading && found.error === null && found.rows.length === 0 && (
            <Empty title="No response fits">
              <p>Take a filter away, or wait until a round has written some.</p>
            </Empty>
          )}
          <ResponseList responses={found.rows} chosen={page.id} filters={filters} />
          {found.more !== null && <button onClick={found.more}>Show more</button>}
        </div>
        <div class="detail-side" aria-live="polite">
          {page.id !== null && (
            <p class="crumbs back">
              <a href={with_query("/responses", filters)}>← All of them</a>
            </p>
          )}
          {shown !== null && <ResponseDetail key={shown.id} response={shown} />}
          {page.id !== null && shown === null && alone.error !== null && <Failure text={alone.error} />}
          {page.id === null && found.rows.length > 0 && (
            <div class="empty choose">
              <p>Choose a response to read it beside its judgment.</p>
            </div>
          )}
        </div>
      </div>
    </>
  );
}
