"""Made-up English texts: chats, forms, mail, and what looks like a name and is none."""

from fill import fill

EN = """{"name": "{N}", "email": "user@example.com"}
{"name":"{N}","city":"{L}"}
| {N} | 555-0142 | {L} |
- {N}: backend
- {N} (CEO)
**{N}** is the owner
1. {N} 2. {N}
# {N}
{B}, {F}
Employees: {B}, {F}; {B}, {F}
Sure, {F}! I can help you with that.
Of course! Here is a draft email to Mr. {B}:
NAME: {N}
PATIENT NAME: {N}
My name is {N}.
my name is {n}
Hi, I'm {N} and I need help with my order.
Hello, this is {N} from {C}.
hi, i'm {n}
I am {N}, a customer since 2019.
i am {n} from {L}
Name: {N}
Name: {N}, Phone: 555-0142
Full name: {N}
First name: {F}
Last name: {B}
Contact: {N}
Contact person: {N}
Customer: {N}
Customer name: {N}
Patient: {N}, age 43
Patient {N} was admitted on Monday.
Employee: {N}
Recipient: {N}
Ship to: {N}, 12 {R}, {L}
Address: 221 {R}, {L}
I live at 45 {R}, {L}.
From: {N} <user@example.com>
To: {N}
Cc: {N}, {N}
Dear {N},
Dear Mr. {B},
Dear Ms. {B},
Dear Dr. {B},
Hi {F},
Hello {F}, thanks for your message.
Hey {F}, can you send it?
Thanks, {F}
Best regards,\n{N}
Sincerely,\n{N}
Regards, {N}
Please send this to {N}.
Please contact {N} at the office.
Please call {N} back tomorrow.
Ask {F} about the report.
Can you tell {N} that I will be late?
Write an email to {N} about the meeting.
Write a letter to {N} at {C}.
Forward this to {F} and {F}.
{N} called about the invoice.
{N} will join the meeting on Friday.
{N} works at {C} in {L}.
{N} lives in {L}.
{N} said that it was fine.
{N} and {N} signed the contract.
{F} told me that {F} is leaving.
{F} is on holiday this week.
{F}'s phone number is 555-0199.
{N}'s account was charged twice.
My wife {F} and I moved to {L}.
My husband {N} was born in {L}.
My son {F} is in third grade.
My boss, {N}, works for {C}.
My manager is {N}.
My doctor is Dr. {B}.
I met {N} in {L}.
I work for {C}.
I work at {C} as an engineer.
She moved from {L} to {L}.
Our office in {L} is closed.
Meeting notes: {N}, {N}, {N}
Attendees: {N}, {N} and {N}
Signed by {N}
Author: {N}
Reviewed by {N}
Assigned to {N}
Resume of {N}
{N}\n12 {R}\n{L}
Mr. {B} arrived late.
Mrs. {B} complained about the noise.
Prof. {B} teaches at the {L} University.
The patient, {N}, has a fever.
The defendant {N} pleaded guilty.
The policy holder is {N}.
{N} (HR) approved it.
Invoice for {C}, attention {N}.
Beneficiary: {N}
Payment from {N} received.
{F} and {F} are friends.
{F} and {F} went to {L}.
{F} asked {F} a question.
{F} is here.
{F} said hello.
{F} sent {F} a message.
{F} wants a refund.
{F}, please call me.
{N}, please call me.
ask {F} from {C}
Ask {N} from {C} about it.
Tell {F} that {F} called.
User {N} reported a bug.
{F} {B}, {L}""".split("\n")

EN_PLAIN = """Please help me with my order.
How do I reset my password?
Will you send the file?
May I ask a question?
Mark the checkbox and click Save.
Bill me later.
Hope this helps.
Grace period ends soon.
Read the API Reference before you start.
Open Settings and choose Network.
The Quick Start guide is in the README.
Use Docker to run the service.
Install Node.js and run the build.
This project uses TypeScript, React and Rust.
Click the Submit button.
See Getting Started for details.
Thank you for your help!
Good morning, how are you?
Best regards
Dear customer,
Dear Sir or Madam,
Hello everyone,
Hi there, can you help?
I am a developer and I like Python.
I am not sure.
my name is not shown on the page
The File menu has an Export entry.
Returns a Promise that resolves to a Response object.
The Table of Contents
Name: required
Address: required
Contact: see below
Create a new Pull Request.
Error: connection refused
Summary of Changes
What Is Machine Learning?
Step One: Install Dependencies
Key Features and Benefits
Large Language Models Are Useful
Here Is What You Need To Know""".split("\n")

VERBS = "Click Open Select Press Choose Use Install Run Add Remove Set Enable Disable Check Create Delete Update Save Close Tap Go Start Stop Configure Import Export Build Deploy Download Upload Enter Type Copy Paste Read See Try Call Return Show Hide Find Search Sort Write Edit Fix Print Summarize Translate Explain Generate Describe List Compare Review".split()
THINGS = "Settings Network File Menu Options Preferences Account Profile Dashboard Button Window Page Project Editor Terminal Console Docker Kubernetes React Python Rust Redis Linux Windows Chrome Firefox Safari Android Webpack Vite Babel Postgres Apache MIT Kafka Nginx Markdown Unicode Promise Buffer Blob Stream Request Response Headers Array Object String Number Boolean Map Set Date Error Exception Server Client Token Key Session Cookie Cache Queue Worker Thread Process Container Image Volume Cluster Node Pod Service Gateway Proxy Router Model Prompt Agent Axios Fetch Express Django Flask Tokio Cargo Git Release Version License Guide Tutorial Reference Overview Introduction Installation Usage Examples Features Requirements Configuration Troubleshooting FAQ Changelog Roadmap Summary Background Conclusion Results Methods Discussion Abstract".split()

CITIES = ["London", "Paris", "New York", "San Francisco", "Berlin", "Tokyo", "Beijing", "Shanghai", "Sydney", "Toronto", "Chicago", "Boston", "Seattle", "Los Angeles", "Mumbai", "Dublin", "Madrid", "Rome", "Vienna", "Zurich", "Austin", "Denver", "Portland", "Miami", "Singapore", "Hong Kong", "Cairo", "Moscow", "Istanbul", "Dubai", "Springfield", "Cambridge", "Oxford", "Manchester", "Texas", "California", "Ohio", "Canada", "Germany", "France", "India", "China", "Japan", "Brazil", "Mexico", "Spain", "Italy"]
ENDS = ["Inc", "Ltd", "LLC", "Corp", "Group", "Bank", "Systems", "Technologies", "Solutions", "Holdings", "Industries", "Partners", "Hospital", "University"]
PINYIN = ["Li", "Wang", "Zhang", "Liu", "Chen", "Yang", "Zhao", "Huang", "Zhou", "Wu", "Xu", "Sun", "Hu", "Zhu", "Gao", "Lin", "He", "Guo", "Ma", "Luo", "Liang", "Song", "Zheng", "Xie", "Han", "Tang", "Feng", "Yu", "Dong", "Xiao", "Cheng", "Cao", "Yuan", "Deng", "Xu", "Fu", "Shen", "Zeng", "Peng", "Lu"]
GIVEN = ["Wei", "Fang", "Na", "Min", "Jing", "Xiaoming", "Lei", "Jun", "Yan", "Jie", "Tao", "Ming", "Chao", "Xia", "Gang", "Jianguo", "Meiling", "Haoran", "Zihan", "Yuxuan", "Xiaohong", "Mengjie", "Siyuan", "Yifan", "Ruoxi", "Jiahao", "Tianyu", "Xinyi", "Zhiqiang", "Guoqiang"]
WORLD = ["Mohammed Al-Fayed", "Priya Sharma", "Rahul Gupta", "José García", "María López", "Jean-Luc Dubois", "François Lefèvre", "Hans Müller", "Jürgen Schäfer", "Anna Kowalska", "Olga Ivanova", "Dmitri Petrov", "Yuki Tanaka", "Hiroshi Sato", "Kim Min-jun", "Nguyen Van Anh", "Fatima Hassan", "Ahmed Khan", "Björn Lindqvist", "Søren Nielsen", "Seán O'Brien", "Aoife Murphy", "Giulia Rossi", "Luca Bianchi", "Carlos Hernández", "Ana Silva", "João Santos", "Ingrid Olsen", "Chidi Okafor", "Amara Nwosu"]


def forms_en(dice, first, last, count):
    def name(d):
        roll = d.random()
        if roll < 0.1:
            return d.choice(PINYIN) + " " + d.choice(GIVEN)
        if roll < 0.16:
            return d.choice(GIVEN) + " " + d.choice(PINYIN)
        if roll < 0.24:
            return d.choice(WORLD)
        if roll < 0.29:
            initials = " ".join(d.choice("ABCDEFGHJKLMPRSTW") + "." for _ in range(d.choice([1, 1, 2])))
            return initials + " " + d.choice(last)
        front = first[min(int(d.expovariate(1 / 300)), len(first) - 1)]
        middle = d.choice([""] * 8 + [" " + d.choice("ABCDEFGHJKLMPRSTW") + "."])
        return front + middle + " " + last[min(int(d.expovariate(1 / 900)), len(last) - 1)]

    makers = {
        "N": lambda d: (name(d), "P", ""),
        "n": lambda d: (name(d).lower(), "P", ""),
        "F": lambda d: (d.choice(first[:900]) if d.random() < 0.5 else d.choice(first), "P", ""),
        "B": lambda d: (d.choice(last) if d.random() < 0.85 else d.choice(PINYIN), "P", ""),
        "L": lambda d: (d.choice(CITIES), "L", ""),
        "R": lambda d: (d.choice(last[:600]) + d.choice([" Street", " Road", " Avenue", " Lane", " Drive"]), "L", ""),
        "C": lambda d: (d.choice(last[:2000]) + " " + d.choice(ENDS), "O", ""),
    }
    for _ in range(count // 3):
        thing = " ".join(dice.choice(THINGS) for _ in range(dice.choice([1, 1, 2])))
        form = dice.choice(["{v} {t}", "{v} {t}, then {w} {u}.", "{v} the {t} and {w} {u}", "{t}", "{t} {u}", "{t} is ready", "{t} and {u}", "The {t} {u}", "{v} {t} to {w} the {u}.", "- {t}: {u}", "## {t}", "{t} or {u}?", "with {t} and {u}", "How to {v} {t}", "A. {t} B. {u} C. {v} D. {w}", "A. The {t} is {u}.", "B. The {t}", "C. {v} the {u}", "D. {t} and {u}", "E. None of the above", "A) {t}", "Option A: {t}. Option B: {u}.", "Answer: B", "Plan A or Plan B? {v} C.", "**{t}** {u}", "| {t} | {u} |", '{{"name": "{t}"}}', "- **{t}**: {u}", "1. {t} 2. {u}"])
        line = form.format(v=dice.choice(VERBS), t=thing, w=dice.choice(VERBS + [v.lower() for v in VERBS]), u=dice.choice(THINGS))
        yield line.upper() if dice.random() < 0.2 else line, []
    for _ in range(count):
        template = dice.choice(EN) if dice.random() < 0.75 else dice.choice(EN_PLAIN)
        text, entities = fill(dice, template.replace("\\n", "\n"), makers)
        if dice.random() < 0.3:
            more, found = fill(dice, dice.choice(EN + EN_PLAIN).replace("\\n", "\n"), makers)
            entities += [[s + len(text) + 1, e + len(text) + 1, k] for s, e, k in found]
            text += " " + more
        if dice.random() < 0.04 and len(text.upper()) == len(text):
            text = text.upper()
        yield text, entities


def lists_en(dice, first, last):
    """Each usual name once, in a place where only a name can stand."""
    for name in first:
        text = f"{name} {dice.choice(last)} and {dice.choice(first)}"
        second = text.index(" and ") + 5
        yield text, [[0, second - 5, "P"], [second, len(text), "P"]]
    for name in last[:3000]:
        text = f"{dice.choice(first)} {name}"
        yield text, [[0, len(text), "P"]]
