import {
  contentFindings,
  extensionFindings,
  fileFindings,
  tablespaceFindings,
  versionFindings,
} from './dump-findings.ts';
import type { Finding } from './finding.ts';
import { leftOutFindings } from './left-out-findings.ts';
import { roleFindings } from './role-findings.ts';
import { roomFindings } from './room-findings.ts';
import type { Situation } from './situation.ts';
import {
  creationFindings,
  ownershipFindings,
  partFindings,
  swapFindings,
} from './swap-findings.ts';

/** Every check before a restore, in the order in which a person is told. */
export const findingsOf = (situation: Situation): Finding[] => [
  ...creationFindings(situation.facts),
  ...ownershipFindings(situation.facts, situation.target),
  ...partFindings(situation),
  ...swapFindings(situation),
  ...fileFindings(situation),
  ...roleFindings(situation),
  ...versionFindings(situation),
  ...extensionFindings(situation),
  ...tablespaceFindings(situation),
  ...roomFindings(situation),
  ...contentFindings(situation),
  ...leftOutFindings(situation),
];
