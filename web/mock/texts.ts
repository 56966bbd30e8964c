// Instructions, responses and judgments of the mock: a small finished-looking world.
export interface Example {
  instruction: string;
  input: string;
  response: string;
  judgment: string;
  label: "positive" | "negative";
}

export const kExamples: Example[] = [
  {
    instruction: "Explain to a ten-year-old why the sky is blue.",
    input: "",
    response:
      "Sunlight looks white, but it is a mix of all colours. When it meets the air, the tiny bits of air throw the blue part around much more than the red part. As a language model I cannot see the sky, but blue comes at you from everywhere, and so the sky looks blue.",
    judgment: "It explains well, but a child does not need “As a language model I cannot see the sky”. Leave that out.",
    label: "negative",
  },
  {
    instruction: "Write three short, friendly reminders for a library book that is a week late.",
    input: "Title: The Left Hand of Darkness",
    response:
      "1. A small reminder: “The Left Hand of Darkness” was due last week. Bring it by when you pass!\n2. Enjoying the book? Others wait for it, so please return or renew it soon.\n3. Your loan has run out. A quick renewal online keeps everything in order.",
    judgment: "Perfect.",
    label: "positive",
  },
  {
    instruction: "Translate into German: “The meeting has been moved to Thursday at half past nine.”",
    input: "",
    response: "Das Treffen wurde auf Donnerstag um halb neun verschoben.",
    judgment: "“Half past nine” is “halb zehn” in German; “halb neun” is half past eight.",
    label: "negative",
  },
  {
    instruction: "Name the three states of matter and give one example of each.",
    input: "",
    response: "Solid: ice. Liquid: water. Gas: water vapour.",
    judgment: "Perfect.",
    label: "positive",
  },
  {
    instruction: "Give a one-sentence summary of the text.",
    input:
      "The city council voted on Tuesday to close the old bridge to cars from May. Pedestrians and cyclists may still use it. Repairs are expected to take two years.",
    response:
      "The council closed the bridge. The bridge is old. The bridge will be repaired, and the bridge is closed to cars.",
    judgment:
      "It takes three sentences and repeats itself. One sentence with the vote, the start in May and the exception for cyclists would do.",
    label: "negative",
  },
  {
    instruction: "اكتب جملة واحدة تشرح فيها معنى كلمة «صبر».",
    input: "",
    response: "الصبر هو القدرة على تحمّل الصعوبات دون شكوى.",
    judgment: "Perfect.",
    label: "positive",
  },
];

export const kGuideline = `# What makes a response perfect

Judge **only what is there**. A response is perfect when you would hand it on as it is.

- It answers the instruction, all of it and nothing else.
- It is correct. Look up what you do not know, or skip.
- No phrases about itself, such as \`As a language model\`.

## When it needs work

1. Name the words that are wrong.
2. Say how it should be.
3. One or two sentences are enough.`;
