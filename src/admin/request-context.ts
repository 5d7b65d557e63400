import type { TObject } from 'typebox';
import { inferEntity, type Arguments } from './arguments.ts';

/** What a client stated in the body of a write. */
export interface StatedBody {
  readonly args: Arguments;
  /** Form values are converted to the schema's types, JSON values never are. */
  readonly isForm: boolean;
}

/** A request to an endpoint. */
export interface AdminRequest {
  /** The decoded part of the path with this name; never empty. */
  param(name: string): string;
  /** The first value of each name in the query. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: StatedBody;
}

export interface AdminAnswer {
  readonly status: number;
  /** Absent: an empty body. */
  readonly body?: unknown;
}

export type Handle = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

/** The methods of one path. */
export interface Endpoint {
  readonly path: string;
  /** Whether no method writes, whatever it is called. */
  readonly isReadOnly?: true;
  readonly methods: Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Handle>>>;
}

export const ok = (body: unknown): AdminAnswer => ({ status: 200, body });
export const created = (body: unknown): AdminAnswer => ({ status: 201, body });
export const noContent: AdminAnswer = { status: 204 };

/** The arguments of a write, converted by the schema if they came in a form. */
export function argumentsOf(request: AdminRequest, schema: TObject): Arguments {
  const { args, isForm } = request.body;
  return isForm ? inferEntity(args, schema) : args;
}

/** The stated arguments that are not null. */
export function withoutNulls(args: Arguments): Arguments {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
}
