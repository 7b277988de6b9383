// RUN: lamina-opt %s -p te-fuse-loops | filecheck %s
// RUN: lamina-opt %s -p te-fuse-loops{prefix=r} | filecheck %s --check-prefix=NAMED

// NAMED-NOT: loop.for %ho
// NAMED: loop.for %row < 8 {
// NAMED-NOT: loop.for %i

// Row h of the maxima needs rows 2h and 2h + 1, which are what step h of the first op writes.
// CHECK-LABEL: @maxima_follow_the_rows_they_need
// CHECK: loop.for %ho < 8 parallel {
// CHECK-NEXT: te.compute at(ho = %ho)
// CHECK-NEXT: axes(hi: 2, w: 16, reduce k: 3)
// CHECK-NEXT: ins(%x[hi + ho * 2, k + w])
// CHECK-NEXT: out(%t[hi + ho * 2, w])
// CHECK: te.compute at(h = %ho)
// CHECK-NEXT: axes(w: 8, reduce kh: 2, reduce kw: 2)
// CHECK-NEXT: ins(%t[h * 2 + kh, kw + w * 2])
// CHECK-NEXT: out(%y[h, w])
func.func @maxima_follow_the_rows_they_need(%x: memref<16x18xf32>, %y: memref<8x8xf32>) {
  %t = memref.alloc() : memref<16x16xf32>
  te.compute axes(ho: 8 parallel, hi: 2, w: 16, reduce k: 3) ins(%x[ho * 2 + hi, w + k]) out(%t[ho * 2 + hi, w]) init 0.0 : f32
    : memref<16x18xf32>, memref<16x16xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  te.compute axes(h: 8 parallel, w: 8, reduce kh: 2, reduce kw: 2) ins(%t[h * 2 + kh, w * 2 + kw]) out(%y[h, w]) init 0xff800000 : f32
    : memref<16x16xf32>, memref<8x8xf32>
    (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  func.return
}

// CHECK-LABEL: @three_ops_share_a_loop_and_two_of_them_a_second
// CHECK: loop.for %i < 4 {
// CHECK: loop.for %c < 5 {
// CHECK: te.compute at(i = %i, c = %c)
// CHECK-NEXT: axes(l: 8)
// CHECK: te.compute at(j = %i, d = %c)
// CHECK-NEXT: axes(m: 8)
// CHECK-NEXT: ins(%t[j, d, -m + 7])
// CHECK: }
// CHECK: }
// CHECK-NEXT: te.compute at(k = %i)
// CHECK-NEXT: axes(reduce c: 5, reduce l: 8)
func.func @three_ops_share_a_loop_and_two_of_them_a_second(%x: memref<4x5x8xf32>, %y: memref<4xf32>) {
  %t = memref.alloc() : memref<4x5x8xf32>
  te.compute axes(i: 4, c: 5, l: 8) ins(%x[i, c, l]) out(%t[i, c, l]) init 0.0 : f32 : memref<4x5x8xf32>, memref<4x5x8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  %u = memref.alloc() : memref<4x5x8xf32>
  te.compute axes(j: 4 parallel, d: 5, m: 8) ins(%t[j, d, 7 - m]) out(%u[j, d, m]) init 0.0 : f32 : memref<4x5x8xf32>, memref<4x5x8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(k: 4, reduce c: 5, reduce l: 8) ins(%t[k, c, l], %u[k, c, l]) out(%y[k]) init 0.0 : f32 : memref<4x5x8xf32>, memref<4x5x8xf32>, memref<4xf32>
    (%a: f32, %b: f32, %acc: f32) { %s = math.fma %a, %b, %acc : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @loops_outside_must_agree
// CHECK: loop.for %r < 3, %q < 3 {
// CHECK-NEXT: loop.for %i < 4 {
// CHECK-NEXT: te.compute at(a = %r, i = %i)
// CHECK: te.compute at(b = %r, j = %i)
// CHECK: te.compute at(b = %q)
func.func @loops_outside_must_agree(%x: memref<4x2xf32>, %t: memref<3x4x2xf32>, %y: memref<3x4xf32>, %z: memref<3x3x4xf32>) {
  loop.for %r < 3, %q < 3 {
    te.compute at(a = %r) axes(i: 4, c: 2) ins(%x[i, c]) out(%t[a, i, c]) init 0.0 : f32 : memref<4x2xf32>, memref<3x4x2xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %r) axes(j: 4) ins(%t[b, j, 0]) out(%y[b, j]) init 0.0 : f32 : memref<3x4x2xf32>, memref<3x4xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %q) axes(j: 4) ins(%y[b, j]) out(%z[b, b, j]) init 0.0 : f32 : memref<3x4xf32>, memref<3x3x4xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// CHECK-LABEL: @a_reader_of_the_next_step_stays
// CHECK-NOT: loop.for
// CHECK: func.return
func.func @a_reader_of_the_next_step_stays(%x: memref<9x4xf32>, %t: memref<9x4xf32>, %y: memref<8x4xf32>) {
  te.compute axes(i: 8, c: 4) ins(%x[i, c]) out(%t[i, c]) init 0.0 : f32 : memref<9x4xf32>, memref<9x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 8, c: 4) ins(%t[j + 1, c]) out(%y[j, c]) init 0.0 : f32 : memref<9x4xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Step i writes every second element of a row; the reader also wants those between.
// CHECK-LABEL: @a_reader_of_elements_between_stays
// CHECK-NOT: loop.for
// CHECK: func.return
func.func @a_reader_of_elements_between_stays(%x: memref<8x4xf32>, %t: memref<8x8xf32>, %y: memref<8x7xf32>) {
  te.compute axes(i: 8, c: 4) ins(%x[i, c]) out(%t[i, c * 2]) init 0.0 : f32 : memref<8x4xf32>, memref<8x8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 8, c: 7) ins(%t[j, c]) out(%y[j, c]) init 0.0 : f32 : memref<8x8xf32>, memref<8x7xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @other_extents_and_schedules_stay
// CHECK-NOT: loop.for
// CHECK: func.return
func.func @other_extents_and_schedules_stay(%x: memref<8xf32>, %t: memref<8xf32>, %u: memref<8xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 7) ins(%t[j]) out(%u[j]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 7) ins(%u[j]) out(%x[j]) init 0.0 : f32 schedule [parallel j] : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Blocks of 4 of 10 elements: the last one has 2. The second op has 9 of them to do, the third 8.
// CHECK-LABEL: @steps_that_a_bound_cuts_follow_the_loop
// CHECK: loop.for %b < 2 {
// CHECK-NEXT: loop.for %i < 4 {
// CHECK-NEXT: te.compute at(b = %b, i = %i)
// CHECK: te.compute at(c = %b, i = %i)
// CHECK: te.compute at(d = %b, i = %i)
// CHECK: }
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: te.compute
// CHECK-NEXT: axes(i: 2)
// CHECK-NEXT: ins(%x[i + 8])
// CHECK: te.compute
// CHECK-NEXT: axes()
// CHECK-NEXT: ins(%t[8])
// CHECK-NEXT: out(%u[8])
// CHECK-NOT: te.compute
// CHECK: func.return
func.func @steps_that_a_bound_cuts_follow_the_loop(%x: memref<10xf32>, %t: memref<10xf32>, %u: memref<9xf32>, %y: memref<8xf32>) {
  te.compute axes(b: 3, i: 4) where b * 4 + i < 10 ins(%x[b * 4 + i]) out(%t[b * 4 + i]) init 0.0 : f32 : memref<10xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(c: 3, i: 4) where c * 4 + i < 9 ins(%t[c * 4 + i]) out(%u[c * 4 + i]) init 0.0 : f32 : memref<10xf32>, memref<9xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(d: 3, i: 4) where d * 4 + i < 8 ins(%u[d * 4 + i]) out(%y[d * 4 + i]) init 0.0 : f32 : memref<9xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Step 1 of the first op still needs %x[1], which step 0 of the second would have overwritten.
// CHECK-LABEL: @a_writer_into_an_earlier_input_stays
// CHECK-NOT: loop.for
// CHECK: func.return
func.func @a_writer_into_an_earlier_input_stays(%x: memref<9xf32>, %t: memref<8xf32>) {
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<9xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 8) ins(%t[j]) out(%x[j + 1]) init 0.0 : f32 : memref<8xf32>, memref<9xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Wherever the integer points to, it is in the row that the same step has written.
// CHECK-LABEL: @integers_within_a_row_share_the_loop
// CHECK: loop.for %i < 8 {
// CHECK: te.compute at(j = %i)
// CHECK-NEXT: axes(c: 3)
// CHECK-NEXT: ins(%rows[j, c] as k: 4, %t[j, k])
func.func @integers_within_a_row_share_the_loop(%x: memref<8x4xf32>, %rows: memref<8x3xi32>, %t: memref<8x4xf32>, %y: memref<8x3xf32>) {
  te.compute axes(i: 8, c: 4) ins(%x[i, c]) out(%t[i, c]) init 0.0 : f32 : memref<8x4xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 8, c: 3) ins(%rows[j, c] as k: 4, %t[j, k]) out(%y[j, c]) init 0.0 : f32 : memref<8x3xi32>, memref<8x4xf32>, memref<8x3xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @axes_of_one_name
// CHECK: loop.for %row < 8 {
// CHECK: axes(row: 8 parallel, d: 5)
// NAMED: axes(row: 8, d: 5)
func.func @axes_of_one_name(%x: memref<8x4xf32>, %t: memref<8x4xf32>, %y: memref<8x4xf32>, %v: memref<8x5xf32>, %z: memref<8x5xf32>) {
  te.compute axes(row: 8, c: 4) ins(%x[row, c]) out(%t[row, c]) init 0.0 : f32 : memref<8x4xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(row: 8, c: 4) ins(%t[row, c]) out(%y[row, c]) init 0.0 : f32 : memref<8x4xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(row: 8 parallel, d: 5) ins(%v[row, d]) out(%z[row, d]) init 0.0 : f32 : memref<8x5xf32>, memref<8x5xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @integers_that_point_at_other_rows_stay
// CHECK-NOT: loop.for
// CHECK: func.return
func.func @integers_that_point_at_other_rows_stay(%x: memref<8x4xf32>, %rows: memref<8xi32>, %t: memref<8x4xf32>, %y: memref<8x4xf32>) {
  te.compute axes(i: 8, c: 4) ins(%x[i, c]) out(%t[i, c]) init 0.0 : f32 : memref<8x4xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(j: 8, c: 4) ins(%rows[j] as k: 8, %t[k, c]) out(%y[j, c]) init 0.0 : f32 : memref<8xi32>, memref<8x4xf32>, memref<8x4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Element 9 of the second step is not written by the first op, which has only 9 of them.
// CHECK-LABEL: @a_cut_step_that_reads_more_than_was_written_stays
// CHECK-NOT: loop.for
// CHECK: func.return
func.func @a_cut_step_that_reads_more_than_was_written_stays(%x: memref<10xf32>, %t: memref<10xf32>, %y: memref<10xf32>) {
  te.compute axes(b: 3, i: 4) where b * 4 + i < 9 ins(%x[b * 4 + i]) out(%t[b * 4 + i]) init 0.0 : f32 : memref<10xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(c: 3, i: 4) where c * 4 + i < 10 ins(%t[c * 4 + i]) out(%y[c * 4 + i]) init 0.0 : f32 : memref<10xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Shares of 4 of 7 rows: the last one, which has 3, runs beside the first.
// CHECK-LABEL: @a_cut_last_step_stays_in_a_parallel_loop
// CHECK: loop.for %t < 2 parallel {
// CHECK-NEXT: loop.if %t < 1 {
// CHECK-NEXT: loop.for %i < 4 {
// CHECK-NEXT: te.compute at(t = %t, i = %i)
// CHECK: te.compute at(u = %t, i = %i)
// CHECK: } else {
// CHECK-NEXT: loop.for %i_1 < 3 {
// CHECK-NEXT: te.compute at(i = %i_1)
// CHECK-NEXT: axes(c: 4)
// CHECK-NEXT: ins(%x[i + 4, c])
func.func @a_cut_last_step_stays_in_a_parallel_loop(%x: memref<7x4xf32>, %z: memref<7x4xf32>, %y: memref<7x4xf32>) {
  te.compute axes(t: 2 parallel, i: 4, c: 4) where t * 4 + i < 7 ins(%x[t * 4 + i, c]) out(%z[t * 4 + i, c]) init 0.0 : f32 : memref<7x4xf32>, memref<7x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(u: 2 parallel, i: 4, c: 4) where u * 4 + i < 7 ins(%z[u * 4 + i, 3 - c]) out(%y[u * 4 + i, c]) init 0.0 : f32 : memref<7x4xf32>, memref<7x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}
