import type { Answer } from './answer.ts';
import type { UpstreamFault } from './upstream.ts';

const badGateway: Answer = {
  status: 502,
  message: 'An invalid response was received from the upstream server',
  raisedBy: 'nginx',
};
const late: Answer = { status: 504, message: 'The upstream server is timing out', raisedBy: 'nginx' };

/** Kong's answers to what goes wrong upstream (kong-facts 2.1). */
export const faultAnswers: Readonly<Record<UpstreamFault, Answer>> = {
  connect: badGateway,
  refused: badGateway,
  closed: badGateway,
  invalid: badGateway,
  'connect-timeout': late,
  name: { status: 503, message: 'name resolution failed' },
  timeout: late,
};
