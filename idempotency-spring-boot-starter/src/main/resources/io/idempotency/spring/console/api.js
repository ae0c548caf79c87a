// What the page asks the endpoint, and what this instance did in the last minutes.

/** How the endpoint, or the way to it, refused something; its text is a sentence. */
export class Refusal extends Error {
    constructor(status, sentence, isOfEndpoint = false) {
        super(sentence);
        this.status = status;
        this.isOfEndpoint = isOfEndpoint;
    }
}

const session = {endpoint: null, csrf: null, user: null, mayWrite: false, whyNot: null};
let tokenAt = 0;

export const current = () => session;

/** Asks where the endpoint is, and what the user may do there. */
export async function openSession() {
    Object.assign(session, await answer(await ask('session', {})));
    Object.assign(session, await read('session'));
}

function ask(url, options) {
    return fetch(url, {
        ...options,
        credentials: 'same-origin',
        redirect: 'manual',
        headers: {Accept: 'application/json', 'X-Requested-With': 'XMLHttpRequest', ...options.headers},
    }).catch(cause => {
        if (cause.name === 'AbortError') {
            throw cause;
        }
        throw new Refusal(0, 'The application does not answer. The page tries it again.');
    });
}

async function answer(response) {
    if (response.type === 'opaqueredirect' || response.status === 401) {
        throw new Refusal(401, 'Nobody is logged in here any more. Load the page again to log in.');
    }
    const body = await response.json().catch(() => null);
    if (response.ok && body !== null) {
        return body;
    }
    // The endpoint answers with a sentence alone; what stands before it with the name of a status, and a time.
    if (typeof body?.error === 'string' && body.timestamp === undefined) {
        throw new Refusal(response.status, body.error, true);
    }
    throw new Refusal(response.status, response.status === 403 ? 'The application does not allow this.'
            : response.status === 404 ? 'The endpoint does not know this.'
            : `The application answered with status ${response.status}.`);
}

function url(view, parameters) {
    if (session.endpoint === null) {
        throw new Refusal(404, 'The endpoint is not exposed: add idempotency to management.endpoints.web.exposure.include.');
    }
    const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ''));
    return `${session.endpoint}${view ? '/' + view : ''}${query.size ? '?' + query : ''}`;
}

/** Reads a view of the endpoint. */
export const read = async (view, parameters = {}, signal = undefined) => answer(await ask(url(view, parameters), {signal}));

/**
 * Changes something. The application decides which form of its CSRF token it takes in a header: the masked one, or the one that it keeps. A refused token,
 * which looks like a missing login if each request logs in by itself, has changed nothing, so the other one is tried.
 */
export async function write(act, body) {
    await openSession();
    const tokens = session.csrf?.tokens ?? [null];
    for (let tried = 1; ; tried++) {
        const token = tokens[tokenAt % tokens.length];
        try {
            return await answer(await ask(url(act, {}), {
                method: 'POST',
                headers: {'Content-Type': 'application/json', ...(token && {[session.csrf.header]: token})},
                body: JSON.stringify(body),
            }));
        } catch (refused) {
            if (refused.isOfEndpoint || tried >= tokens.length || ![401, 403].includes(refused.status)) {
                throw refused;
            }
            tokenAt++;
        }
    }
}

/** So many samples of a rate are kept: three minutes. */
export const SAMPLES = 90;

const memories = new Map();

/** Turns the counts of an instance into rates, by what the same instance said before. A smaller count is a new process. */
export function remember(overview, now) {
    const memory = memories.get(overview.instance) ?? new Map();
    memories.set(overview.instance, memory);
    for (const {consumer, counts} of overview.consumers) {
        if (!counts) {
            continue;
        }
        const sums = {
            processed: counts.processed,
            failed: counts.failed,
            duplicates: Object.values(counts.duplicates ?? {}).reduce((sum, count) => sum + count, 0),
        };
        const known = memory.get(consumer);
        const rates = known?.rates ?? {processed: [], failed: [], duplicates: []};
        for (const kind of known ? Object.keys(sums) : []) {
            const perSecond = Math.max(0, sums[kind] - known.sums[kind]) / Math.max(0.5, (now - known.at) / 1000);
            rates[kind] = [...rates[kind], perSecond].slice(-SAMPLES);
        }
        memory.set(consumer, {sums, rates, at: now});
    }
}

/** The rates of a consumer at the instance that answered last; undefined before its second answer. */
export function ratesOf(overview, consumer) {
    const rates = memories.get(overview.instance)?.get(consumer)?.rates;
    return rates?.processed.length ? rates : undefined;
}

export const instances = () => [...memories.keys()];

/** A hash route with parameters. */
export function route(view, parameters = {}) {
    const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ''));
    return `#/${view}${query.size ? '?' + query : ''}`;
}

/** Names a message in a request: by its id, or by its position if the id is too long for an address. */
export const nameOf = message => encodeURIComponent(message.id).length > 2000 && message.position ? message.position : message.id;
