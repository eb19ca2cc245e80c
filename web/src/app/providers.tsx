import { i18n } from "@lingui/core";
import { I18nProvider, useLingui } from "@lingui/react";
import { DirectionProvider, MantineProvider, createTheme, useDirection } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { queryClient } from "~/api/client";
import { router } from "~/app/router";
import { directionOf } from "~/texts/language";

const theme = createTheme({ primaryColor: "cyan", respectReducedMotion: true });

export function Providers() {
  return (
    <QueryClientProvider client={queryClient}>
      <I18nProvider i18n={i18n}>
        <DirectionProvider detectDirection>
          <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
            <InDirectionOfLanguage>
              <RouterProvider router={router} />
            </InDirectionOfLanguage>
          </MantineProvider>
        </DirectionProvider>
      </I18nProvider>
    </QueryClientProvider>
  );
}

function InDirectionOfLanguage({ children }: { children: ReactNode }) {
  const direction = directionOf(useLingui().i18n.locale);
  const { setDirection } = useDirection();
  useEffect(() => setDirection(direction), [direction, setDirection]);
  return children;
}
