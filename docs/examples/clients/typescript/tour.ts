// The tour of the README in TypeScript, with types that are made from the contract:
//
//     make clients
//     cd docs/examples/clients/typescript && npm ci && cp ../../../../var/clients/typescript/mvote.d.ts .
//     CITIZEN=… OFFICER=… node tour.ts http://127.0.0.1:8000 .
//
// It writes bundle.zip into the folder that it is told; with picture.png there it sends that, too.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import createClient from "openapi-fetch";
import type { components, paths } from "./mvote.d.ts";

type Problem = components["schemas"]["Problem"];
type Answer<T> = { data?: T | undefined; error?: Problem | undefined; response: Response };

const [address, folder] = process.argv.slice(2);
if (address === undefined || folder === undefined) throw new Error("say an address and a folder");
const PASSWORD = "a room of our own";

const clientOf = (token?: string) =>
  createClient<paths>({
    baseUrl: address,
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
  });
const anybody = clientOf();
const citizen = clientOf(process.env["CITIZEN"]);
const officer = clientOf(process.env["OFFICER"]);

/** What was answered; a problem ends the tour. */
function got<T>(answer: Answer<T>): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${answer.error?.code}`);
  }
  return answer.data;
}

function only<T>(items: T[]): T {
  const [first] = items;
  if (first === undefined) throw new Error("nothing there");
  return first;
}

/** Where we stand, as a phone would say it: at Gwanghwamun. */
const here = () => ({
  lat: 37.5725,
  lon: 126.9769,
  accuracy_m: 12,
  captured_at: new Date().toISOString(),
});

/** Made once for each ballot, and kept until there is a receipt. */
const newKey = () => randomBytes(24).toString("base64url");

function cast(poll_id: string, body: components["schemas"]["BallotRequest"], key: string) {
  return citizen.POST("/v1/polls/{poll_id}/ballots", {
    params: { path: { poll_id }, header: { "Idempotency-Key": key } },
    body,
  });
}

async function vote(): Promise<void> {
  const near = { position: here(), radius_m: 1000 };
  console.log("near here:", got(await anybody.POST("/v1/polls/nearby", { body: near })).items.length);
  const query = { status: "open", q: "Gwanghwamun" } as const;
  const listed = got(await anybody.GET("/v1/polls", { params: { query } }));
  const poll_id = only(listed.items).id;
  const path = { poll_id };
  const { question } = got(await anybody.GET("/v1/polls/{poll_id}", { params: { path } }));
  if (question === null) throw new Error("only a draft may have none");
  console.log("asked:", question.text.en, question.options.map((option) => option.title.en));
  const may = got(
    await citizen.POST("/v1/polls/{poll_id}/eligibility", {
      params: { path },
      body: { position: here() },
    }),
  );
  console.log("may vote:", may.may_vote);

  const ballot = { selections: [only(question.options).key], position: here() };
  const key = newKey();
  const receipt = got(await cast(poll_id, ballot, key));
  console.log("receipt:", receipt.poll_id, receipt.tracker);
  const again = got(await cast(poll_id, ballot, key));
  console.log("the same for the same key:", again.signature === receipt.signature);
  const refused = await cast(poll_id, ballot, newKey());
  console.log("refused:", refused.response.status, refused.error?.code);
  const nowhere = { ...ballot, position: { ...here(), lat: 99 } };
  const wrong = await cast(poll_id, nowhere, newKey());
  console.log("wrong:", wrong.error?.code, wrong.error?.errors?.[0]?.pointer);
}

async function check(folder: string): Promise<void> {
  const query = { status: "published" } as const;
  const done = only(got(await anybody.GET("/v1/polls", { params: { query } })).items);
  const params = { path: { poll_id: done.id } };
  const result = got(await anybody.GET("/v1/polls/{poll_id}/results", { params }));
  if (typeof result === "string") throw new Error("that is the CSV");
  console.log("result:", result.turnout.ballots, result.options.map((option) => option.votes));
  const sheet = await anybody.GET("/v1/polls/{poll_id}/results", {
    params,
    headers: { Accept: "text/csv" },
    parseAs: "text",
  });
  console.log("sheet:", sheet.response.headers.get("Content-Type"), got(sheet).length > 0);
  const fetched = () =>
    anybody.GET("/v1/polls/{poll_id}/bundle.zip", { params, parseAs: "arrayBuffer" });
  let bundle = await fetched();
  while (bundle.response.status === 503) {
    const seconds = Number(bundle.response.headers.get("Retry-After"));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    bundle = await fetched();
  }
  writeFileSync(join(folder, "bundle.zip"), new Uint8Array(got(bundle)));
}

async function send(picture: string): Promise<components["schemas"]["KeptFile"]> {
  return got(
    await officer.POST("/v1/images", {
      body: readFileSync(picture, "latin1"), // bytes; the types know them as text only
      bodySerializer: (body) => Buffer.from(body, "latin1"),
      headers: { "Content-Type": "image/png" },
    }),
  );
}

async function askInARoom(picture: string): Promise<[string, string]> {
  const { url, sha256 } = await send(picture);
  const drafted = await officer.POST("/v1/polls", {
    body: {
      title: "나무",
      question: {
        text: "어떤 나무를 심을까요?",
        kind: "ranking",
        method: "borda",
        options: [
          { key: "oak", title: "참나무", image: { url, sha256, alt: { ko: "나무", en: "A tree" } } },
          { key: "pine", title: "소나무" },
        ],
      },
      closes_at: new Date(Date.now() + 3_600_000).toISOString(),
      room_password: PASSWORD,
    },
  });
  const path = { poll_id: got(drafted).id };
  const body = { title: { ko: "나무 고르기", en: "Choose a tree" } };
  const revise = (version: string) =>
    officer.PATCH("/v1/polls/{poll_id}", {
      params: { path, header: { "If-Match": version } },
      body,
    });
  const stale = await revise('"old"');
  console.log("stale:", stale.response.status, stale.error?.code);
  console.log("revised:", got(await revise(drafted.response.headers.get("ETag") ?? "")).title.en);
  const opened = got(await officer.POST("/v1/polls/{poll_id}/open", { params: { path } }));
  console.log("opened:", opened.status);
  return [opened.room_number ?? "", opened.id];
}

async function rank(number: string, poll_id: string): Promise<void> {
  const asked = { number, password: PASSWORD };
  const room = got(await citizen.POST("/v1/rooms/lookup", { body: asked }));
  const ballot = { selections: ["pine", "oak"], room_password: PASSWORD };
  console.log("ranked:", got(await cast(room.id, ballot, newKey())).poll_id === poll_id);
}

await vote();
await check(folder);
const picture = join(folder, "picture.png");
if (existsSync(picture)) await rank(...(await askInARoom(picture)));
