"""Deciding over HTTP: sealed statements, allocations, the plenary's motions, the council's word."""
