import type { PrinterColumn } from './kind.ts';

/** What the CRDs of Kong's kinds have in common (kong-facts 4.1): where `kubectl get` finds and what it shows. */
export const categories: readonly string[] = ['kong-ingress-controller', 'kong'];

export const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Age',
};

/** Whether requests already see the object. */
export const programmedColumn: PrinterColumn = {
  name: 'Programmed',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Programmed")].status',
};
