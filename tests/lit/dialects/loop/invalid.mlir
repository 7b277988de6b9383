// RUN: lamina-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s

// CHECK: mapping must be one of parallel or empty, got 'grid'
"loop.for"() <{extents = array<i64: 2>, mapping = "grid"}> ({
^bb0(%i: index):
  "loop.yield"() : () -> ()
}) : () -> ()

// -----

// CHECK: a nest needs extents of at least 1, got [4, 0]
loop.for %i < 4, %j < 0 {}

// -----

// CHECK: a nest needs extents of at least 1, got []
"loop.for"() <{extents = array<i64>, mapping = ""}> ({
^bb0:
  "loop.yield"() : () -> ()
}) : () -> ()

// -----

// CHECK: a parallel nest cannot carry values, got 1: keep them in an inner nest, or in memory
%x = arith.constant 0.0 : f32
%r = loop.for %i < 4 parallel iter(%a = %x) : f32 {
  loop.yield %a : f32
}

// -----

// CHECK: the body's arguments must have types index, index, got index, i32
"loop.for"() <{extents = array<i64: 2, 3>, mapping = ""}> ({
^bb0(%i: index, %j: i32):
  "loop.yield"() : () -> ()
}) : () -> ()

// -----

// CHECK: the results must have types f32, got nothing
%x = arith.constant 0.0 : f32
"loop.for"(%x) <{extents = array<i64: 2>, mapping = ""}> ({
^bb0(%i: index, %a: f32):
  "loop.yield"(%a) : (f32) -> ()
}) : (f32) -> ()

// -----

// CHECK: the values of loop.yield must have types f32, got f32, f32
%x = arith.constant 0.0 : f32
%r = loop.for %i < 4 iter(%a = %x) : f32 {
  loop.yield %a, %a : f32, f32
}

// -----

// CHECK: the body must end in loop.yield, got test.termop
%x = arith.constant 0.0 : f32
%r = loop.for %i < 4 iter(%a = %x) : f32 {
  "test.termop"() : () -> ()
}

// -----

// CHECK: expected one type, or one for each of 3 carried values, got 2
%x = arith.constant 0.0 : f32
%r:3 = loop.for %i < 4 iter(%a = %x, %b = %x, %c = %x) : f32, f32 {}

// -----

// CHECK: 'loop.yield' expects parent op to be one of 'loop.for', 'loop.if'
func.func @yield_outside_a_loop() {
  loop.yield
}

// -----

// CHECK: the body's arguments must have types nothing, got index
%i = arith.constant 0 : index
"loop.if"(%i) <{limit = #builtin.int<2>}> ({
^bb0(%j: index):
  "loop.yield"() : () -> ()
}, {
  "loop.yield"() : () -> ()
}) : (index) -> ()

// -----

// CHECK: the values of loop.yield must have types nothing, got index
%i = arith.constant 0 : index
loop.if %i < 2 {
  loop.yield %i : index
}

// -----

// CHECK: the body must end in loop.yield, got test.termop
%i = arith.constant 0 : index
"loop.if"(%i) <{limit = #builtin.int<2>}> ({
  "test.termop"() : () -> ()
}, {
  "loop.yield"() : () -> ()
}) : (index) -> ()
