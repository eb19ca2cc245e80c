import { Trans, useLingui } from "@lingui/react/macro";
import { Modal, Table } from "@mantine/core";
import type { ReactNode } from "react";

/** Which keys there are. */
export function KeySheet({ onClose }: { onClose: () => void }) {
  const { t } = useLingui();
  const keys: [string, ReactNode][] = [
    ["↓ j", <Trans key="next">to the next job</Trans>],
    ["↑ k", <Trans key="previous">to the job before</Trans>],
    ["Enter", <Trans key="open">open the job</Trans>],
    [t`Space`, <Trans key="select">choose it for a comparison, or not</Trans>],
    ["p", <Trans key="pin">pin it as the baseline, or take the pin out</Trans>],
    ["/", <Trans key="filter">filter the jobs by name</Trans>],
    ["?", <Trans key="help">show these keys</Trans>],
  ];
  return (
    <Modal
      opened
      onClose={onClose}
      title={t`Keys`}
      closeButtonProps={{ "aria-label": t`Close` }}
      lockScroll={false} // by a style element, which the page's policy refuses
    >
      <Table>
        <Table.Tbody>
          {keys.map(([key, meaning]) => (
            <Table.Tr key={key}>
              <Table.Th scope="row">
                <kbd>{key}</kbd>
              </Table.Th>
              <Table.Td>{meaning}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
