import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { useArrowKeys } from "~/features/job/use-arrow-keys";

afterEach(cleanup);

function Page({ onStep }: { onStep: (by: number) => void }) {
  useArrowKeys(onStep);
  return (
    <>
      <p>text</p>
      <input aria-label="Name" />
    </>
  );
}

test("the arrows step on and back, and leave a field its own", () => {
  const step = vi.fn();
  render(<Page onStep={step} />);
  fireEvent.keyDown(screen.getByText("text"), { key: "ArrowRight" });
  fireEvent.keyDown(document.body, { key: "ArrowLeft" });
  fireEvent.keyDown(screen.getByLabelText("Name"), { key: "ArrowRight" });
  fireEvent.keyDown(document.body, { key: "ArrowRight", ctrlKey: true });
  fireEvent.keyDown(document.body, { key: "ArrowUp" });
  expect(step.mock.calls).toEqual([[1], [-1]]);
});
