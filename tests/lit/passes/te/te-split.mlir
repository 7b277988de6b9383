// RUN: lamina-opt %s -p 'te-split{axis=j by=4}' | filecheck %s
// RUN: lamina-opt %s -p 'te-split{axis=j by=5 outer=a inner=b}' | filecheck %s --check-prefix NAMED
// RUN: lamina-opt %s -p 'te-split{axis=k by=3 function=a_reduction_stays_one}' | filecheck %s --check-prefix REDUCE
// RUN: lamina-opt %s -p 'te-split{axis=j by=0}' --verify-diagnostics | filecheck %s --check-prefix ZERO
// RUN: lamina-opt %s -p 'te-split{axis=z by=2}' --verify-diagnostics | filecheck %s --check-prefix UNKNOWN
// RUN: lamina-opt %s -p 'te-split{axis=z by=2 function=a_reduction_stays_one}' --verify-diagnostics | filecheck %s --check-prefix ELSEWHERE
// RUN: lamina-opt %s -p 'te-split{axis=j by=2 inner=j}' | filecheck %s --check-prefix REUSED
// RUN: lamina-opt %s -p 'te-split{axis=j by=2 outer=k}' --verify-diagnostics | filecheck %s --check-prefix TAKEN
// RUN: lamina-opt %s -p 'te-split{axis=j by=2 outer=a inner=a}' --verify-diagnostics | filecheck %s --check-prefix TWICE
// RUN: lamina-opt %s -p 'te-split{axis=j by=2 inner=mod}' --verify-diagnostics | filecheck %s --check-prefix WORD
// RUN: lamina-opt %s -p 'te-split{axis=u by=2}' --verify-diagnostics | filecheck %s --check-prefix MARKED

// RUN: lamina-opt %s -p 'te-split{axis=r by=2 outer=a inner=ih}' --verify-diagnostics | filecheck %s --check-prefix INTEGER
// RUN: lamina-opt %s -p 'te-split{axis=r by=4}' | filecheck %s --check-prefix ROWS

// INTEGER: te-split: 'ih' is already the name of an integer (@integers_are_read_at_the_parts)
// ZERO: te-split: cannot split j: 12 by 0 (@a_split_that_divides_needs_no_bound)
// UNKNOWN: te-split: no te.compute in the module has axes 'z': found (j: 12); (j: 10 parallel, reduce k: 9); (u: 8 unroll)
// ELSEWHERE: te-split: no te.compute in @a_reduction_stays_one has axes 'z': found (j: 10 parallel, reduce k: 9)
// TAKEN: te-split: 'k' is already an axis of (j: 10 parallel, reduce k: 9) (@a_reduction_stays_one)
// TWICE: te-split: 'a' is already an axis of (j: 12)
// WORD: te-split: 'mod' cannot name an axis: need a word, no keyword
// MARKED: te-split: cannot split 'u: 8 unroll': split it first, then mark the parts (@an_unrolled_axis_is_not_split)

// CHECK-LABEL: @a_split_that_divides_needs_no_bound
// CHECK: axes(jo: 3, ji: 4)
// CHECK-NEXT: ins(%x[(ji + jo * 4) floordiv 4, (ji + jo * 4) mod 4])
// CHECK-NEXT: out(%y[ji + jo * 4])
// NAMED: axes(a: 3, b: 5) where a * 5 + b < 12
// REUSED: axes(jo: 6, j: 2)
// REUSED: out(%y[j + jo * 2])
func.func @a_split_that_divides_needs_no_bound(%x: memref<3x4xf32>, %y: memref<12xf32>) {
  te.compute axes(j: 12) ins(%x[j floordiv 4, j mod 4]) out(%y[j]) init 0.0 : f32
    : memref<3x4xf32>, memref<12xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_reduction_stays_one
// CHECK: axes(jo: 3 parallel, ji: 4, reduce k: 9) where ji + jo * 4 < 10
// CHECK-NEXT: ins(%x[ji + jo * 4 + k])
// NAMED: axes(a: 2 parallel, b: 5, reduce k: 9)
// NAMED-NEXT: ins
// REDUCE-LABEL: @a_reduction_stays_one
// REDUCE: axes(j: 10 parallel, reduce ko: 3, reduce ki: 3)
// REDUCE-NEXT: ins(%x[j + ki + ko * 3])
func.func @a_reduction_stays_one(%x: memref<18xf32>, %y: memref<10xf32>) {
  te.compute axes(j: 10 parallel, reduce k: 9) ins(%x[j + k]) out(%y[j]) init 0.0 : f32
    : memref<18xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @an_unrolled_axis_is_not_split
// CHECK: axes(u: 8 unroll)
func.func @an_unrolled_axis_is_not_split(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute axes(u: 8 unroll) ins(%x[u]) out(%y[u]) init 0.0 : f32
    : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// ROWS-LABEL: @integers_are_read_at_the_parts
// ROWS: axes(ro: 3, ri: 4) where ri + ro * 4 < 10
// ROWS-NEXT: ins(%rows[ri + ro * 4] as ih: 8, %x[ih])
func.func @integers_are_read_at_the_parts(%rows: memref<10xi32>, %x: memref<8xf32>, %y: memref<10xf32>) {
  te.compute axes(r: 10) ins(%rows[r] as ih: 8, %x[ih]) out(%y[r]) init 0.0 : f32
    : memref<10xi32>, memref<8xf32>, memref<10xf32>
    (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}
