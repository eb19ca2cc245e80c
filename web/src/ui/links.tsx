/** Mantine's looks on the router's links, with their typed addresses. */
import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes } from "react";

type Native = AnchorHTMLAttributes<HTMLAnchorElement>;

function StyledAnchor(props: AnchorProps & Omit<Native, keyof AnchorProps>) {
  return <Anchor {...props} />;
}

function StyledButton(props: ButtonProps & Omit<Native, keyof ButtonProps>) {
  return <Button component="a" {...props} />;
}

export const PageLink = createLink(StyledAnchor);
export const PageButton = createLink(StyledButton);
