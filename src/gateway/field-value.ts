/** What no value of a field may hold (RFC 9110 section 5.5), and what Latin-1, in which heads are written, has no byte for. */
const notInValue = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const allNotInValue = new RegExp(notInValue, 'g');

/** Whether a text is a value of a field wherever it is written. */
export const isFieldValue = (text: string): boolean => !notInValue.test(text);

/** The value of a field that no parser has looked at: what could end its line, or cannot be sent, is taken out. */
export const fieldValue = (text: string): string => (isFieldValue(text) ? text : text.replaceAll(allNotInValue, ''));
