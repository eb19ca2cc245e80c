import { i18n } from "@lingui/core";
import { DirectionProvider, MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { StepSlider } from "~/features/job/step-slider";

afterEach(cleanup);

test("the right arrow leads to later steps, also where text runs from right to left", () => {
  i18n.loadAndActivate({ locale: "fa", messages: {} });
  const choose = vi.fn();
  render(
    <DirectionProvider initialDirection="rtl" detectDirection={false}>
      <MantineProvider>
        <StepSlider name="Step" steps={[0, 50, 100]} place={1} onChange={choose} />
      </MantineProvider>
    </DirectionProvider>,
  );
  fireEvent.keyDown(screen.getByRole("slider"), { key: "ArrowRight" });
  expect(choose).toHaveBeenCalledWith(2);
});
