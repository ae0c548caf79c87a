// Outputs that wait in the outbox, and those that Kafka refused for good.
import {h, fill, data, number, moment, ago, table, facts, choice, plain, span, tell} from './dom.js';
import {current, read, route, write} from './api.js';
import {refusal} from './quarantine.js';
import {failed, isOn, reasonField} from './acts.js';
import {content, headers, isCut} from './payload.js';

const outputs = count => `${number(count)} ${Number(count) === 1 ? 'output' : 'outputs'}`;

/** How much waits, and for how long. */
export const waitingWords = ({waiting, oldestSeconds}) => waiting === 0 ? 'No output waits.'
        : `${outputs(waiting)} ${waiting === 1 ? 'waits' : 'wait'}, the oldest for ${span(oldestSeconds)}.`;

export const refusedWords = ({refused}) => refused === 0 ? 'Kafka has refused none.' : `Kafka refused ${outputs(refused)}.`;

export async function outbox(main, {topic, after}) {
    const verdict = h('div', {class: 'verdict'});
    const look = found => fill(verdict, h('p', {class: 'lead'}, waitingWords(found)),
            h('p', {class: found.refused ? 'lead bad' : 'lead good'}, refusedWords(found)));
    const [status, page] = await Promise.all([read('outbox'), read('refused', {topic, after, limit: 50})]);
    const names = [...new Set([...Object.keys(status.topics), ...(topic ? [topic] : [])])];
    look(status);
    fill(main, h('h1', {tabindex: '-1'}, 'Outbox'), verdict, refusal(),
            names.length > 0 && h('form', {
                class: 'filter',
                onsubmit: event => event.preventDefault(),
                onchange: event => (location.hash = route('outbox', {topic: event.target.value})),
            }, choice('topic', 'Topic', [['', 'all topics'], ...names.map(name => [name, `${plain(name).slice(0, 60)} (${number(status.topics[name])})`])], topic)),
            h('p', {class: 'actions'}, topic && current().mayWrite && page.outputs.length > 0
                    && h('a', {class: 'button', href: route('resend', {topic})}, 'Send all of this topic again…')),
            page.outputs.length > 0 && table('Refused outputs, in the order in which they were added',
                    ['Number', 'Topic', 'Message id', 'Added', 'Bytes', 'Why'], page.outputs.map(output => [
                        h('a', {href: route('output', {number: output.number})}, String(output.number)),
                        data(output.topic, 60), data(output.id, 60), ago(output.addedAt), number(output.bytes), data(output.reason, 160)])),
            h('p', {class: 'actions'},
                    after && h('a', {class: 'button', href: route('outbox', {topic})}, 'First page'),
                    page.next && h('a', {class: 'button', href: route('outbox', {topic, after: page.next})}, 'Next page')));
    return async overview => overview.outbox && look(overview.outbox);
}

export async function output(main, {number: asked, full}) {
    const found = await read('output', {number: asked, full: full && true});
    fill(main, h('h1', {tabindex: '-1'}, 'Output ', String(found.number)), refusal(),
            found.hidden && h('p', {class: 'notice'}, data(found.hidden, 300)),
            h('section', {class: 'card'}, h('h2', null, 'Why Kafka refused it'), h('p', {class: 'example'}, data(found.reason, 2000))),
            current().mayWrite && h('p', {class: 'actions'},
                    h('a', {class: 'button main', href: route('resend', {number: found.number})}, 'Send it again…'),
                    h('a', {class: 'button', href: route('discard', {number: found.number})}, 'Discard it…')),
            facts([
                ['Topic', h('a', {href: route('outbox', {topic: found.topic})}, data(found.topic, 120))],
                found.partition !== null && ['Partition', String(found.partition)],
                ['Message id', data(found.id, 300)],
                ['Added', moment(found.addedAt)],
                found.recordTimestamp && ['Time of the record', moment(found.recordTimestamp)],
            ]),
            h('section', {class: 'card'}, h('h2', null, 'Key'), content(found.key, found.hidden)),
            h('section', {class: 'card'}, h('h2', null, 'Headers'), headers(found)),
            h('section', {class: 'card'}, h('h2', null, 'Value'), content(found.value, found.hidden)),
            !full && isCut(found) && h('p', {class: 'actions'},
                    h('a', {class: 'button', href: route('output', {number: found.number, full: 'true'})}, 'Show more of it')));
}

const WORDS = {
    resend: ['Send again', 'sent again', 'They go back to the relay, in their order. Others with the same keys may have been sent meanwhile.'],
    discard: ['Discard', 'discarded', 'A discarded output is deleted for good, and nobody receives it.'],
};

/** Sends refused outputs again, or discards one: a dry run, a reason, then the act. */
export const outboxAct = verb => async (main, {number: one, topic}) => {
    const [name, done, what] = WORDS[verb];
    const chosen = one ? {number: Number(one)} : {topic};
    const result = h('div', {role: 'status'});
    const form = h('form', {onsubmit: event => event.preventDefault()},
            h('div', {class: 'filter'}, reasonField('')),
            h('p', {class: 'actions'}, h('button', {type: 'button', class: verb === 'discard' ? 'danger' : 'main', onclick: event => act(event)}, name)));
    async function act(event) {
        if (event && !isOn(event.currentTarget)) {
            return;
        }
        try {
            const found = await write(verb, {...chosen, ...(event ? {reason: new FormData(form).get('reason').trim()} : {dryRun: true})});
            const words = `${outputs(found.outputs)} ${!event ? 'would be' : found.outputs === 1 ? 'is' : 'are'} ${done}.`;
            fill(result, h('p', {class: 'sentence'}, words), event && h('p', {class: 'actions'}, h('a', {class: 'button', href: route('outbox', {topic})}, 'Go on')));
            if (event) {
                form.remove();
                tell(words);
            }
        } catch (refused) {
            failed(result, refused);
        }
    }
    fill(main, h('h1', {tabindex: '-1'}, name, one ? [' output ', data(one, 30)] : [' what Kafka refused of ', data(topic, 80)]), refusal(),
            h('p', null, what), current().mayWrite && [result, form]);
    if (current().mayWrite) {
        await act();
    }
};
