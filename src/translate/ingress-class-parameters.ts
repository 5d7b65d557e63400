import { ingressClass, type IngressClass } from '#resources/ingress-class.ts';
import { ingressClassParameters } from '#resources/ingress-class-parameters.ts';
import type { Ref } from '#resources/ref.ts';
import type { Fact, View } from '#store/view.ts';
import { unsupportedAnnotations } from './annotations.ts';
import { classLimits } from './class-limits.ts';
import { nothing, type Context, type RootKind } from './translation.ts';

/** What holds for all Ingresses of a class, and for the Services behind them. */
export interface ClassSettings {
  /** Requests go to the Service's own name instead of to its endpoints. */
  readonly serviceUpstream: boolean;
  /** A path with characters that are rare in paths is a regular expression. */
  readonly enableLegacyRegexDetection: boolean;
}

const defaults: ClassSettings = { serviceUpstream: false, enableLegacyRegexDetection: false };
const field = 'spec.parameters';

type ParametersRef = NonNullable<NonNullable<IngressClass['spec']>['parameters']>;

/** What is wrong with the reference itself: other kinds and cluster-wide ones are not read (kong-facts 4.1). */
function faultOf({ apiGroup, kind, scope, namespace, name }: ParametersRef): string | undefined {
  if (apiGroup !== ingressClassParameters.group) return `apiGroup must be ${ingressClassParameters.group}`;
  if (kind !== ingressClassParameters.kind) return `kind must be ${ingressClassParameters.kind}`;
  if (scope !== 'Namespace') return 'scope must be Namespace';
  return namespace === undefined || name === undefined ? 'namespace and name are both needed' : undefined;
}

/** The parameters that a class names, or why they cannot be had. */
function find(
  reference: ParametersRef,
  view: View,
):
  | { readonly spec?: Partial<ClassSettings>; readonly fault?: never }
  | { readonly fault: string; readonly spec?: never } {
  const fault = faultOf(reference);
  if (fault !== undefined) return { fault };
  const { namespace = '', name = '' } = reference;
  const found = view.get(ingressClassParameters, namespace, name);
  return found === undefined
    ? { fault: `there is no valid IngressClassParameters ${namespace}/${name}` }
    : { spec: found.spec ?? {} };
}

const settingsFact: Fact<ClassSettings> = {
  name: 'class-settings',
  compute({ name }, view) {
    const reference = view.get(ingressClass, '', name)?.spec?.parameters;
    const found = reference === undefined ? undefined : find(reference, view);
    return found === undefined || 'fault' in found ? defaults : { ...defaults, ...found.spec };
  },
};

/** The settings of our class; the defaults where it names none that can be read. */
export function classSettings({ settings, view }: Context): ClassSettings {
  const ref: Ref = { kind: ingressClass.kind, namespace: '', name: settings.ingressClass };
  return view.fact(settingsFact, ref);
}

/** Our ingress class yields the limits that it states, and is told when its parameters cannot be read. */
export const ingressClassRoot: RootKind<IngressClass> = {
  translate(object, { ref, view, settings }) {
    if (ref.name !== settings.ingressClass) return nothing;
    const problems = unsupportedAnnotations(object);
    const limits = classLimits(object, problems);
    const reference = object.spec?.parameters;
    const found = reference === undefined ? undefined : find(reference, view);
    if (found?.fault !== undefined) {
      const message = `${field}: ${found.fault}, so the defaults hold`;
      problems.push({ reason: 'ParametersNotFound', field, message, effect: 'field ignored' });
    }
    return { entries: limits === undefined ? [] : [{ entry: limits, claims: [] }], problems };
  },
};
