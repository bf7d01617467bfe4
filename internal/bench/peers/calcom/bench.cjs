// Answers the starts that Cal.com's engine finds in worlds, and how long it took.
//
//   node bench.cjs FOLDER < worlds.json      FOLDER holds node_modules
//
// In: {"now":ms,"worlds":[{"from","to","duration","grid","runs","hosts":[{"tz","weekly":[{"days":[0..6],"start":min,"end":min}],
// "overrides":[{"date","start":min,"end":min}],"busy":[[ms,ms]]}]}]}. Out: one line per world, {"starts":[ms],"ms":[per run]}.
//
// The engine (AvailableSlotsService and what it calls for each host) runs unchanged. Its database, calendars, cache and reports answer
// from memory at once: what is measured is its computation alone. "Now" is fixed, so that worlds stay in its future.
"use strict";
process.env.TZ = "UTC";
const fs = require("node:fs");
const path = require("node:path");
const Module = require("node:module");

const folder = path.resolve(process.argv[2]);
const input = JSON.parse(fs.readFileSync(0, "utf8"));

// Its loggers write to the console, and its database client, which nothing asks, complains that it has no engine.
for (const say of ["log", "info", "warn", "debug"]) console[say] = () => {};
process.on("unhandledRejection", (err) => {
  if (err?.constructor?.name !== "PrismaClientInitializationError") throw err;
});

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length) super(...args);
    else super(input.now);
  }
  static now() {
    return input.now;
  }
};

// A package that the computation never asks: everything of it can be named, called and constructed.
const nothing = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive || key === "toString" ? () => "" : key === Symbol.iterator ? undefined : key === "then" ? undefined : nothing),
  apply: () => nothing,
  construct: () => nothing,
});
let busyTimes;
const container = { load() {}, bind: () => nothing, get: () => busyTimes };
const used = createRequire(folder);
const load = Module._load;
Module._load = function (name, parent, main) {
  if (name.startsWith(".") || name.startsWith("node:") || path.isAbsolute(name) || Module.builtinModules.includes(name)) return load(name, parent, main);
  if (/^(dayjs|zod)(\/|$)/.test(name)) return load(used.resolve(name), parent, main);
  if (name === "@evyweb/ioctopus") return { createContainer: () => container, createModule: () => nothing };
  return nothing;
};
function createRequire(dir) {
  return Module.createRequire(path.join(dir, "package.json"));
}

const dist = path.join(folder, "node_modules", "@calcom", "platform-libraries", "dist");
const named = (start) => require(path.join(dist, fs.readdirSync(dist).find((f) => f.startsWith(start) && f.endsWith(".cjs"))));
const { AvailableSlotsService, BusyTimesService } = require(path.join(dist, "slots.cjs"));
const { UserAvailabilityService } = named("getUserAvailability");

const clock = (minutes) => new Date(minutes * 60000); // a time of day is stored as one of 1970-01-01 in UTC

function service(world) {
  const hosts = world.hosts.map((h, i) => ({
    isFixed: false,
    groupId: null,
    user: {
      id: i + 1,
      email: `host${i}@example.org`,
      username: `host${i}`,
      timeZone: h.tz,
      credentials: [],
      userLevelSelectedCalendars: [],
      allSelectedCalendars: [],
      travelSchedules: [],
      availability: [],
      defaultScheduleId: i + 1,
      schedules: [
        {
          id: i + 1,
          timeZone: h.tz,
          availability: [
            ...h.weekly.map((w) => ({ days: w.days, startTime: clock(w.start), endTime: clock(w.end), date: null })),
            ...(h.overrides ?? []).map((o) => ({ days: [], date: new Date(o.date + "T00:00:00Z"), startTime: clock(o.start), endTime: clock(o.end) })),
          ],
        },
      ],
    },
  }));
  const eventType = {
    id: 1,
    slug: "visit",
    length: world.duration,
    slotInterval: world.grid,
    minimumBookingNotice: 0,
    offsetStart: 0,
    beforeEventBuffer: 0,
    afterEventBuffer: 0,
    schedulingType: "ROUND_ROBIN",
    periodType: "UNLIMITED",
    metadata: {},
    bookingLimits: null,
    durationLimits: null,
    seatsPerTimeSlot: null,
    availability: [],
    schedule: null,
    timeZone: null,
    team: null,
    parent: null,
    hosts,
    users: [],
  };
  const bookings = world.hosts.flatMap((h, i) =>
    h.busy.map(([from, to], n) => ({
      id: n + 1,
      uid: `b${i}-${n}`,
      userId: i + 1,
      title: "Visit",
      startTime: new Date(from),
      endTime: new Date(to),
      status: "ACCEPTED",
      attendees: [],
      eventType: { id: 1, afterEventBuffer: 0, beforeEventBuffer: 0, seatsPerTimeSlot: null },
    }))
  );
  const bookingRepo = {
    findAllExistingBookingsForEventTypeBetween: async () => bookings,
    getAllAcceptedTeamBookingsOfUsers: async () => [],
  };
  busyTimes = new BusyTimesService({ bookingRepo });
  const redisClient = { get: async () => null, set: async () => {} };
  const userAvailabilityService = new UserAvailabilityService({ redisClient, bookingRepo, oooRepo: {}, eventTypeRepo: {} });
  return new AvailableSlotsService({
    redisClient,
    bookingRepo,
    busyTimesService: busyTimes,
    userAvailabilityService,
    oooRepo: { findManyOOO: async () => [] },
    eventTypeRepo: { findForSlots: async () => eventType },
    selectedSlotRepo: { findManyUnexpiredSlots: async () => [], deleteManyExpiredSlots: async () => {} },
    cacheService: { getShouldServeCache: async () => false },
    featuresRepo: { checkIfTeamHasFeature: async () => false },
    qualifiedHostsService: {
      findQualifiedHostsWithDelegationCredentials: async () => ({ qualifiedRRHosts: hosts, allFallbackRRHosts: [], fixedHosts: [] }),
    },
    noSlotsNotificationService: { handleNotificationWhenNoSlots: async () => {} },
  });
}

(async () => {
  for (const world of input.worlds) {
    const one = service(world);
    const ask = { input: { eventTypeId: 1, startTime: world.from, endTime: world.to, timeZone: world.hosts[0].tz, isTeamEvent: true }, ctx: { req: { headers: {} } } };
    const ms = [];
    let starts = [];
    for (let i = 0; i < (world.runs ?? 1); i++) {
      const begin = process.hrtime.bigint();
      const answer = await one.getAvailableSlots(ask);
      ms.push(Number(process.hrtime.bigint() - begin) / 1e6);
      starts = Object.values(answer.slots)
        .flat()
        .map((s) => RealDate.parse(s.time))
        .sort((a, b) => a - b);
    }
    process.stdout.write(JSON.stringify({ starts, ms }) + "\n");
  }
  process.stdout.write("", () => process.exit(0));
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
