/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/event_decode.h - what a firmware event says of itself, for people
 *
 * Theory of operation
 *   The data of an event is authenticated by nothing but, for some types, by being what was hashed. So this is a
 * description and never an input of a verdict. It comes out as a JSON object whose members depend on the type; text
 * output prints the same tree. A log's decoding has one budget of members, so that hostile lists cost no more than a
 *   long real log: when it is used up, the rest says so.
 *
 * Input: hostile. Memory: bounded by the budget. Spec: TCG PC Client Platform Firmware Profile 1.06, sections 10.2-10.4;
 *   UEFI 2.10, sections 5.3 (GPT), 32.4.1 (signature lists), 3.1.3 (load options).
 */
#ifndef ATTEST_EVENT_DECODE_H
#define ATTEST_EVENT_DECODE_H

#include "attest/evidence.h"
#include "common/json.h"

#define EVENT_DECODE_MAX_ITEMS 8192 /* of all lists of one log */
#define EVENT_DECODE_MAX_CERTS 256  /* certificates parsed in one log */

/** struct event_budget - what the rest of a log may still cost; begin with EVENT_BUDGET_INIT */
struct event_budget {
	size_t items;
	size_t certs;
};
#define EVENT_BUDGET_INIT {EVENT_DECODE_MAX_ITEMS, EVENT_DECODE_MAX_CERTS}

/**
 * event_decode() - describe one event of a TCG log
 *
 * Return: an owned object, empty for a type whose data says nothing readable; NULL without memory. Data that does not
 * have its type's form gets the member "malformed".
 */
json_object *event_decode(uint32_t type, struct bytes data, struct event_budget *budget);

/** struct event_variable - UEFI_VARIABLE_DATA (PFP 10.3.1); views */
struct event_variable {
	const uint8_t *vendor; /* 16 bytes */
	struct bytes name;     /* UTF-16LE, without NUL */
	struct bytes data;
};

/** event_variable_parse() - false if @data is not exactly one such structure. */
bool event_variable_parse(struct bytes data, struct event_variable *ret);

/** event_is_variable() - is it named @name (ASCII)? */
bool event_is_variable(const struct event_variable *v, const char *name);

#endif
