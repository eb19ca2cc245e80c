import { expect, test } from "vitest";
import { ApiError } from "~/api/errors";
import type { DatasetOut } from "~/api/generated";
import type { Chosen } from "~/features/datasets/batches";
import { type Delivery, Sending, type SendingState, sharesOf } from "~/features/datasets/sending";

const CUT = new ApiError(0, "UNREACHABLE", "The server does not answer.");
const LIMITS = { files: 2, bytes: 1000 };

function chosen(path: string, bytes = 10): Chosen {
  return { path, file: new File(["x".repeat(bytes)], path) };
}

/** A server that keeps what it is sent, but first answers with each of `errors` in turn. */
function server(...errors: (ApiError | null)[]) {
  const asked: Delivery[] = [];
  const kept: string[] = [];
  const deliver = (delivery: Delivery): Promise<DatasetOut> => {
    asked.push(delivery);
    delivery.onSent(0.5);
    const error = errors.shift();
    if (error) return Promise.reject(error);
    kept.push(...delivery.files.map(({ path }) => path));
    return Promise.resolve({ id: "made" } as DatasetOut);
  };
  return { asked, kept, deliver };
}

function sending(deliver: (delivery: Delivery) => Promise<DatasetOut>, ...paths: string[]): Sending {
  return new Sending(paths.map((path) => chosen(path)), deliver, null, [0, 0], LIMITS);
}

test("the first batch makes the dataset and the others go into it", async () => {
  const { asked, kept, deliver } = server();
  const states: SendingState[] = [];
  const dataset = await sending(deliver, "c.png", "a.png", "b.png").run("cats", (state) => states.push(state));
  expect(dataset?.id).toBe("made");
  expect(asked.map((each) => [each.dataset?.id ?? null, each.name])).toEqual([
    [null, "cats"],
    ["made", "cats"],
  ]);
  expect(kept).toEqual(["a.png", "b.png", "c.png"]);
  expect(states.map((state) => [state.arrivedCount, state.doneBytes])).toEqual([
    [0, 0],
    [0, 10],
    [2, 20],
    [2, 25],
    [3, 30],
  ]);
});

test("to a dataset that is there all of it is added", async () => {
  const { asked, deliver } = server();
  await new Sending([chosen("a.png")], deliver, { id: "there" } as DatasetOut).run("", () => undefined);
  expect(asked.map((each) => each.dataset?.id)).toEqual(["there"]);
});

test("what is cut is sent again by itself, under the same key", async () => {
  const { asked, kept, deliver } = server(CUT, new ApiError(503, "STORE_UNAVAILABLE", "Later."));
  const states: SendingState[] = [];
  await sending(deliver, "a.png").run("cats", (state) => states.push(state));
  expect(kept).toEqual(["a.png"]);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
  expect(states.filter((state) => state.isWaiting).length).toBe(2);
});

test("after a cut that lasts only what has not arrived is sent", async () => {
  const { asked, kept, deliver } = server(null, CUT, CUT, CUT);
  const upload = sending(deliver, "a.png", "b.png", "c.png");
  await expect(upload.run("cats", () => undefined)).rejects.toBe(CUT);
  expect(kept).toEqual(["a.png", "b.png"]);
  await upload.run("cats", () => undefined);
  expect(kept).toEqual(["a.png", "b.png", "c.png"]);
  expect(asked.at(-1)?.dataset?.id).toBe("made");
});

test("an upload that was overtaken is sent again", async () => {
  const { kept, deliver } = server(null, new ApiError(409, "DATASET_CHANGED", "Others were added."));
  await sending(deliver, "a.png", "b.png", "c.png").run("cats", () => undefined);
  expect(kept).toEqual(["a.png", "b.png", "c.png"]);
});

test("a refused picture is named, its caption stays behind, and the others go on as another upload", async () => {
  const sentence = { field: "bad.png", message: "The picture is not a readable picture." };
  const { asked, kept, deliver } = server(new ApiError(400, "VALIDATION_FAILED", "Unusable.", [sentence]));
  const files = ["bad.png", "bad.txt", "good.png", "good.txt"].map((path) => chosen(path));
  let last: SendingState | undefined;
  await new Sending(files, deliver).run("cats", (state) => (last = state));
  expect(kept).toEqual(["good.png", "good.txt"]);
  expect(asked[0]?.key).not.toBe(asked[1]?.key);
  expect(last?.refusals).toEqual([{ name: "bad.png", message: sentence.message }]);
  expect(last?.doneBytes).toBe(40);
});

test("a picture goes on without a caption that is refused", async () => {
  const sentence = { field: "cat.txt", message: "The file is a caption that is not UTF-8." };
  const { kept, deliver } = server(new ApiError(400, "VALIDATION_FAILED", "Unusable.", [sentence]));
  await sending(deliver, "cat.png", "cat.txt").run("cats", () => undefined);
  expect(kept).toEqual(["cat.png"]);
});

test("where the server names none of its files a batch is refused as a whole and the next goes on", async () => {
  const { kept, deliver } = server(new ApiError(413, "TOO_LARGE", "Too large."));
  let last: SendingState | undefined;
  await sending(deliver, "a.png", "b.png", "c.png").run("cats", (state) => (last = state));
  expect(kept).toEqual(["c.png"]);
  expect(last?.refusals.map(({ name }) => name)).toEqual(["a.png", "b.png"]);
});

test("an upload of which nothing is taken makes no dataset", async () => {
  const { deliver } = server(new ApiError(413, "TOO_LARGE", "Too large."));
  expect(await sending(deliver, "a.png").run("cats", () => undefined)).toBeNull();
});

test.each([
  new ApiError(403, "DATASET_FORBIDDEN", "Not yours."),
  new ApiError(400, "VALIDATION_FAILED", "Wrong.", [{ field: "name", message: "is too long" }]),
])("what is not about the files ends the upload and refuses none of them", async (error) => {
  const { kept, deliver } = server(error);
  const upload = sending(deliver, "a.png");
  await expect(upload.run("cats", () => undefined)).rejects.toBe(error);
  await upload.run("cats", () => undefined);
  expect(kept).toEqual(["a.png"]);
});

test("the files of a batch leave one behind another", () => {
  expect(sharesOf([chosen("a", 10), chosen("b", 20), chosen("c", 10)], 0.5)).toEqual([1, 0.5, 0]);
});
