import { expect, test } from "vitest";
import { type Chosen, inOrder, nextBatch } from "~/features/datasets/batches";

const LIMITS = { files: 4, bytes: 100 };

function chosen(path: string, bytes = 10): Chosen {
  return { path, file: new File(["x".repeat(bytes)], path) };
}

/** The paths of every batch until nothing is left. */
function batches(...files: Chosen[]): string[][] {
  const found: string[][] = [];
  for (let left = files; left.length > 0; ) {
    const batch = nextBatch(left, LIMITS);
    found.push(batch.map(({ path }) => path));
    left = left.filter((each) => !batch.includes(each));
  }
  return found;
}

test("a picture goes with its caption, also where others stand between them and where the batch would be full", () => {
  const files = inOrder(["b.txt", "a.png", "c.png", "b.png", "a.txt", "c.txt", "b2.png"].map((path) => chosen(path)));
  expect(batches(...files)).toEqual([
    ["a.png", "a.txt", "b.png", "b.txt"],
    ["b2.png", "c.png", "c.txt"],
  ]);
});

test("a batch ends before it weighs too much, and what weighs too much goes alone", () => {
  expect(batches(chosen("a.png", 60), chosen("b.png", 41), chosen("c.png", 200), chosen("d.png"))).toEqual([
    ["a.png"],
    ["b.png"],
    ["c.png"],
    ["d.png"],
  ]);
});

test("a zip is a request of its own", () => {
  expect(batches(chosen("a.png"), chosen("a.zip"), chosen("b.png"))).toEqual([["a.png"], ["a.zip"], ["b.png"]]);
});

test("pictures of one name in two folders are two", () => {
  expect(batches(...["one/a.png", "one/a.txt", "two/a.png"].map((path) => chosen(path)))).toEqual([
    ["one/a.png", "one/a.txt", "two/a.png"],
  ]);
});
